// libspf2 itself: the C interface, one evaluation at a time, nothing kept between.
#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>

extern "C" {
#include <spf2/spf.h>
}

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>

#include "dkim/spf/guard.hpp"

namespace postern::spf {

namespace {

// Addresses, MX and TXT that one answer hands over; the guard's own bounds are lower, but for A
// sets.
constexpr std::size_t kMaxRecords = 1'000;

struct Hook {
  Evaluation* evaluation;
};

template <class T, void (*Release)(T*)>
struct Deleter {
  void operator()(T* object) const { Release(object); }
};
using ServerPtr = std::unique_ptr<SPF_server_t, Deleter<SPF_server_t, SPF_server_free>>;
using RequestPtr = std::unique_ptr<SPF_request_t, Deleter<SPF_request_t, SPF_request_free>>;
using ResponsePtr = std::unique_ptr<SPF_response_t, Deleter<SPF_response_t, SPF_response_free>>;
using RecordPtr = std::unique_ptr<SPF_record_t, Deleter<SPF_record_t, SPF_record_free>>;

int herrno_of(Reply::Status status) {
  switch (status) {
    case Reply::Status::ok: return NETDB_SUCCESS;
    case Reply::Status::nodata: return NO_DATA;
    case Reply::Status::nxdomain: return HOST_NOT_FOUND;
    case Reply::Status::try_again: return TRY_AGAIN;
  }
  return TRY_AGAIN;
}

// Room for record `rr->num_rr`; null when memory ran out.
SPF_dns_rr_data_t* next_record(SPF_dns_rr_t* rr, std::size_t size) {
  if (static_cast<std::size_t>(rr->num_rr) >= kMaxRecords) return nullptr;
  if (SPF_dns_rr_buf_realloc(rr, rr->num_rr, std::max(size, sizeof(SPF_dns_rr_data_t))) !=
      SPF_E_SUCCESS) {
    return nullptr;
  }
  return rr->rr[rr->num_rr++];
}

void add_text(SPF_dns_rr_t* rr, const std::string& text) {
  if (auto* record = next_record(rr, text.size() + 1)) {
    std::memcpy(static_cast<void*>(record), text.c_str(), text.size() + 1);
  }
}

void add_address(SPF_dns_rr_t* rr, const boost::asio::ip::address& address, ns_type type) {
  if (address.is_v4() != (type == ns_t_a)) return;
  auto* record = next_record(rr, sizeof(SPF_dns_rr_data_t));
  if (record == nullptr) return;
  if (address.is_v4()) {
    const auto bytes = address.to_v4().to_bytes();
    std::memcpy(&record->a, bytes.data(), bytes.size());
  } else {
    const auto bytes = address.to_v6().to_bytes();
    std::memcpy(&record->aaaa, bytes.data(), bytes.size());
  }
}

SPF_dns_rr_t* look_up(SPF_dns_server_t* server, const char* domain, ns_type type,
                      int /*should_cache*/) {
  auto& evaluation = *static_cast<Hook*>(server->hook)->evaluation;
  // Type 99 is asked first; RFC 7208 §3.1 ended it, and NO_DATA makes the library ask for TXT.
  const Reply reply =
      type == ns_t_spf ? Reply{} : evaluation.answer(domain, static_cast<dns::Type>(type));
  SPF_dns_rr_t* rr = SPF_dns_rr_new_init(server, domain, type, 0, herrno_of(reply.status));
  if (rr == nullptr) return nullptr;
  if (!reply.text.empty()) add_text(rr, reply.text);
  for (const auto& host : reply.hosts) add_text(rr, host);
  for (const auto& address : reply.addresses) add_address(rr, address, type);
  return rr;
}

Verdict verdict_of(SPF_result_t result) {
  switch (result) {
    case SPF_RESULT_NEUTRAL: return Verdict::neutral;
    case SPF_RESULT_PASS: return Verdict::pass;
    case SPF_RESULT_FAIL: return Verdict::fail;
    case SPF_RESULT_SOFTFAIL: return Verdict::softfail;
    case SPF_RESULT_NONE: return Verdict::none;
    case SPF_RESULT_TEMPERROR: return Verdict::temperror;
    case SPF_RESULT_INVALID:
    case SPF_RESULT_PERMERROR: return Verdict::permerror;
  }
  return Verdict::permerror;
}

void set_client(SPF_request_t* request, const boost::asio::ip::address& client) {
  if (client.is_v4()) {
    in_addr address{};
    const auto bytes = client.to_v4().to_bytes();
    std::memcpy(&address, bytes.data(), bytes.size());
    SPF_request_set_ipv4(request, address);
  } else {
    in6_addr address{};
    const auto bytes = client.to_v6().to_bytes();
    std::memcpy(&address, bytes.data(), bytes.size());
    SPF_request_set_ipv6(request, address);
  }
}

}  // namespace

Verdict interpret(Evaluation& evaluation, const std::string& first_alias,
                  const boost::asio::ip::address& client) {
  Hook hook{&evaluation};
  SPF_dns_server_t resolver{};
  resolver.lookup = &look_up;
  resolver.name = "postern";
  resolver.hook = &hook;
  const ServerPtr server(SPF_server_new_dns(&resolver, 0));
  if (server == nullptr) return Verdict::temperror;
  // The guard counts; the library's own limits would reset in every include.
  SPF_server_set_max_dns_mech(server.get(), std::numeric_limits<int>::max());
  SPF_server_set_max_dns_mx(server.get(), std::numeric_limits<int>::max());
  SPF_server_set_rec_dom(server.get(), "r.spf");

  const RequestPtr request(SPF_request_new(server.get()));
  if (request == nullptr) return Verdict::temperror;
  set_client(request.get(), client);
  SPF_request_set_helo_dom(request.get(), "h.spf");
  SPF_request_set_env_from(request.get(), "s@h.spf");
  request->cur_dom = first_alias.c_str();

  const ResponsePtr response(SPF_response_new(request.get()));
  if (response == nullptr) return Verdict::temperror;
  SPF_record_t* found = nullptr;
  const auto error = SPF_server_get_record(server.get(), request.get(), response.get(), &found);
  const RecordPtr record(found);
  if (error != SPF_E_SUCCESS || record == nullptr) return Verdict::permerror;
  // Not SPF_request_query_mailfrom: that passes every loopback client unseen.
  response->spf_record_exp = record.get();
  SPF_record_interpret(record.get(), request.get(), response.get(), 0);
  return verdict_of(SPF_response_result(response.get()));
}

}  // namespace postern::spf
