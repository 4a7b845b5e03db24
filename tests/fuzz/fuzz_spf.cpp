// SPF behind its guard: the input is zone data (records of a few names) and an identity; libspf2
// must survive whatever the guard lets through, and the answer must come.
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "core/dns/dns.hpp"
#include "dkim/spf/guard.hpp"
#include "dkim/spf/spf.hpp"

using namespace postern;

namespace {

// Lines: "T name text", "A name x" (address by its last octet), "M name host", "P host". The rest:
// sender.
struct Zone {
  dkim::Lookups table;
  std::string sender = "user@example.com";
  std::string helo = "helo.example.com";
  bool v6 = false;
};

class Feeder {
 public:
  explicit Feeder(Zone& zone) : zone_(zone) {}

  void line(std::string_view text) {
    if (text.size() < 2) return;
    const char kind = text.front();
    text.remove_prefix(2);
    const auto space = text.find(' ');
    const std::string name(text.substr(0, space));
    const std::string rest(space == std::string_view::npos ? std::string_view{}
                                                           : text.substr(space + 1));
    switch (kind) {
      case 'T': answer(name, dns::Type::txt).texts.push_back(rest); break;
      case 'A': answer(name, dns::Type::a).addresses.push_back(address(rest, 4)); break;
      case '6': answer(name, dns::Type::aaaa).addresses.push_back(address(rest, 6)); break;
      case 'M': answer(name, dns::Type::mx).mx.push_back({10, rest}); break;
      case 'P': answer("1.2.0.192.in-addr.arpa", dns::Type::ptr).names.push_back(name); break;
      case 'E': answer(name, dns::Type::txt).status = dns::Status::temporary; break;
      case 'F': zone_.sender = std::string(text); break;
      case 'H': zone_.helo = std::string(text); break;
      case 'V': zone_.v6 = true; break;
      default: break;
    }
  }
  void finish() {
    for (auto& [question, made] : answers_) {
      zone_.table.store(question, std::make_shared<const dns::Answer>(made));
    }
  }

 private:
  static asio::ip::address address(std::string_view text, int family) {
    const auto last = static_cast<unsigned char>(text.empty() ? 1 : text.front());
    if (family == 4) return asio::ip::address_v4({192, 0, 2, last});
    return asio::ip::address_v6({0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last});
  }
  dns::Answer& answer(const std::string& name, dns::Type type) {
    auto& made = answers_[{name, type}];
    made.status = dns::Status::ok;
    return made;
  }
  Zone& zone_;
  std::map<dkim::Question, dns::Answer> answers_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  Zone zone;
  Feeder feeder(zone);
  while (!text.empty()) {
    const auto end = text.find('\n');
    feeder.line(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  feeder.finish();
  spf::MacroValues values;
  values.ip = zone.v6 ? asio::ip::make_address("2001:db8::1") : asio::ip::make_address("192.0.2.1");
  values.sender = zone.sender;
  values.local_part = "user";
  values.domain = values.sender_domain = "example.com";
  values.helo = zone.helo;
  // Each pass finds at least one missing name, which then doesn't exist.
  for (int pass = 0; pass < 80; ++pass) {
    spf::Evaluation evaluation(zone.table, values);
    if (const auto first = evaluation.start()) (void)spf::interpret(evaluation, *first, values.ip);
    if (evaluation.missing().empty()) {
      const auto& explanation = evaluation.explanation_spec();
      if (explanation) (void)spf::expand_domain(*explanation, evaluation.final_values());
      break;
    }
    auto none = std::make_shared<dns::Answer>();
    none->status = dns::Status::nxdomain;
    for (const auto& question : evaluation.missing()) zone.table.store(question, none);
  }
  return 0;
}
