// DNS messages on the wire (RFC 1035 §4), as a stub resolver needs them: one question out, one
// response in. No I/O.
//
// A response is untrusted to the last byte. Anything malformed in what is used makes the whole
// response Status::temporary. Names come out in lower case and presentation form (RFC 1035 §5.1): a
// dot or backslash inside a label, and every byte outside printable ASCII, is escaped, so that no
// label can pass for two.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/dns/dns.hpp"

namespace postern::dns {

inline constexpr std::size_t kMaxName = 253;        ///< characters in text, RFC 1035 §2.3.4
inline constexpr std::uint16_t kUdpPayload = 1232;  ///< what we take over UDP without fragments
inline constexpr std::size_t kMaxAliasesInMessage = 16;  ///< CNAMEs followed within one response

/// Lower case, without final dot; nullopt when it can't name anything: empty, too long, an empty or
/// too long label, or a character that is not printable ASCII (or is a backslash).
std::optional<std::string> canonical_name(std::string_view name);

enum class Edns : std::uint8_t { off, on };

/// A query for a canonical name: recursion desired, AD asked for (RFC 6840 §5.7).
std::string encode_query(std::string_view name, Type type, std::uint16_t id, Edns edns);

struct Response {
  Answer answer;  ///< ttl 0 of a negative answer: the server gave none (RFC 2308 §5)
  /// The response ends at this CNAME target without saying anything about it: ask for it next.
  std::string alias;
  bool format_error = false;  ///< FORMERR: perhaps a server that knows no EDNS
};

/// The answer to (canonical `name`, `type`) in `wire`.
Response parse_response(std::string_view wire, std::string_view name, Type type);

}  // namespace postern::dns
