// SPF macros (RFC 7208 §7): their grammar and their expansion.
//
// Untrusted: text and every value but the client's address. Bounded: an expansion never exceeds
// kMaxExpansion octets, whatever the text repeats.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace postern::spf {

inline constexpr std::size_t kMaxExpansion = 8'192;

/// c, r and t are allowed in explanation text only (§7.2).
enum class MacroPlace : std::uint8_t { domain_spec, explanation };

struct MacroValues {
  std::string sender;            ///< s
  std::string local_part;        ///< l
  std::string sender_domain;     ///< o
  std::string domain;            ///< d: of the record being evaluated
  boost::asio::ip::address ip;   ///< i, c, v
  std::string validated_name;    ///< p
  std::string helo;              ///< h
  std::string receiving_domain;  ///< r
  std::int64_t now = 0;          ///< t
};

/// Whether `text` is a macro-string.
bool is_macro_string(std::string_view text, MacroPlace place);
/// Whether `text` is a domain-spec: a macro-string that ends in a macro or a top label.
bool is_domain_spec(std::string_view text);
/// Whether expanding it needs %{p}.
bool needs_validated_name(std::string_view text);
bool has_macro(std::string_view text);

/// `text` is a macro-string. Cut at kMaxExpansion.
std::string expand_macros(std::string_view text, const MacroValues& values);
/// The same, made a name to ask for: labels dropped from the left until 253 octets are left (§7.3),
/// without final dot.
std::string expand_domain(std::string_view domain_spec, const MacroValues& values);

}  // namespace postern::spf
