#include "core/dns/message.hpp"

#include <algorithm>

#include "core/ascii.hpp"

namespace postern::dns {

namespace {
constexpr std::size_t kMaxLabel = 63;
constexpr std::uint16_t kClassIn = 1;
constexpr std::uint16_t kTypeOpt = 41;  // RFC 6891 §6.1.1
// Header flags: RFC 1035 §4.1.1, RFC 4035 §3.1.6.
constexpr std::uint16_t kRecursionDesired = 0x0100;
constexpr std::uint16_t kAuthenticData = 0x0020;

void append16(std::string& out, std::uint16_t value) {
  out.push_back(static_cast<char>(value >> 8));
  out.push_back(static_cast<char>(value & 0xff));
}
}  // namespace

std::optional<std::string> canonical_name(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty() || name.size() > kMaxName) return std::nullopt;
  std::size_t label = 0;
  for (const char c : name) {
    if (c == '.') {
      if (label == 0) return std::nullopt;
      label = 0;
      continue;
    }
    if (c <= ' ' || c >= 0x7f || c == '\\' || ++label > kMaxLabel) return std::nullopt;
  }
  if (label == 0) return std::nullopt;
  return ascii::to_lower(name);
}

std::string encode_query(std::string_view name, Type type, std::uint16_t id, Edns edns) {
  std::string out;
  append16(out, id);
  append16(out, kRecursionDesired | kAuthenticData);
  append16(out, 1);  // one question, no answers, no authority
  append16(out, 0);
  append16(out, 0);
  append16(out, edns == Edns::on ? 1 : 0);
  while (!name.empty()) {
    const auto label = name.substr(0, name.find('.'));
    out.push_back(static_cast<char>(label.size()));
    out.append(label);
    name.remove_prefix(std::min(name.size(), label.size() + 1));
  }
  out.push_back('\0');
  append16(out, static_cast<std::uint16_t>(type));
  append16(out, kClassIn);
  if (edns == Edns::on) {
    out.push_back('\0');
    append16(out, kTypeOpt);
    append16(out, kUdpPayload);
    out.append(6, '\0');  // extended rcode, version, flags, no options
  }
  return out;
}

}  // namespace postern::dns
