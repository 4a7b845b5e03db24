#include "web/http/message.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <chrono>

#include "core/ip_address.hpp"

namespace postern::web {

namespace json = boost::json;

std::string_view to_string(Method method) {
  switch (method) {
    case Method::get: return "GET";
    case Method::post: return "POST";
    case Method::put: return "PUT";
    case Method::patch: return "PATCH";
    case Method::del: return "DELETE";
  }
  return "GET";
}

Response json_response(const json::value& value, unsigned status) {
  Response response;
  response.status = status;
  response.body = json::serialize(value);
  response.body.push_back('\n');
  return response;
}

Response no_content() {
  Response response;
  response.status = 204;
  response.content_type.clear();
  return response;
}

Response problem(unsigned status, std::string_view title, std::string_view detail,
                 std::string_view field) {
  json::object document{
      {"type", "about:blank"}, {"title", title}, {"status", status}, {"detail", detail}};
  if (!field.empty()) document["field"] = field;
  Response response = json_response(document, status);
  response.content_type = "application/problem+json";
  if (status == 429 || status == 503) response.headers.emplace_back("Retry-After", "5");
  return response;
}

namespace {
struct StatusTitle {
  unsigned status;
  std::string_view title;
};

StatusTitle status_of(Errc code) {
  switch (code) {
    case Errc::invalid: return {400, "Invalid request"};
    case Errc::not_found: return {404, "Not found"};
    case Errc::exists: return {409, "Already exists"};
    case Errc::denied: return {403, "Not allowed"};
    case Errc::too_large: return {413, "Too large"};
    case Errc::overloaded: return {503, "Busy"};
    case Errc::temporary:
    case Errc::timeout:
    case Errc::cancelled: return {503, "Temporarily unavailable"};
    case Errc::unsupported: return {501, "Not supported"};
    case Errc::io:
    case Errc::corrupt: return {500, "Internal error"};
  }
  return {500, "Internal error"};
}
}  // namespace

Response problem(const Error& error) {
  const auto [status, title] = status_of(error.code);
  return problem(status, title, error.message);
}

Response too_many_requests(std::string_view why, Micros wait) {
  Response refusal = problem(429, "Too many requests", why);
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(wait).count();
  std::erase_if(refusal.headers, [](const auto& header) { return header.first == "Retry-After"; });
  refusal.headers.emplace_back("Retry-After", std::to_string(std::max<std::int64_t>(1, seconds)));
  return refusal;
}

boost::asio::ip::address address_of(const Peer& peer) {
  return parse_ip(peer.address).value_or(boost::asio::ip::address());
}

}  // namespace postern::web
