// Mail paths and their grammar: RFC 5321 §4.1.2 and §4.1.3, with UTF-8 as RFC 6531 §3.3 extends it.
//
// Input is untrusted text from MAIL, RCPT, HELO. A parsed local part is stored unquoted, so that
// all quoted forms of one mailbox are equal (RFC 5321 §4.1.2); to_string() quotes again where
// needed.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace postern::smtp {

/// RFC 5321 §4.5.3.1.1 asks for 64 at least; some bulk senders' return paths are longer.
inline constexpr std::size_t kMaxLocalPart = 128;
inline constexpr std::size_t kMaxDomain = 255;  ///< RFC 5321 §4.5.3.1.2
inline constexpr std::size_t kMaxLabel = 63;    ///< RFC 1035 §2.3.4
inline constexpr std::size_t kMaxSourceRoute = 512;

struct Path {
  std::string local;   ///< unquoted; may hold any printable character or UTF-8
  std::string domain;  ///< as given; an address literal keeps its brackets; empty for <postmaster>

  bool operator==(const Path&) const = default;
  /// `<>`: the sender of bounces.
  [[nodiscard]] bool is_null() const { return local.empty() && domain.empty(); }
  [[nodiscard]] bool is_ascii() const;
};

/// "local@domain" with minimal quoting; empty for the null path. No angle brackets.
std::string to_string(const Path& path);

/// One path at the front of a text, and where it ended.
struct ParsedPath {
  Path path;
  std::size_t length = 0;  ///< octets consumed, brackets included
};

/// `<local@domain>`, `<@a,@b:local@domain>` (the route is checked and dropped, RFC 5321 §F.2).
/// Not `<>`. nullopt: malformed or over a limit. Text after the path is the caller's.
std::optional<ParsedPath> parse_path(std::string_view text);
/// A bare `local@domain`, all of `text`.
std::optional<Path> parse_mailbox(std::string_view text);
/// A domain name of letters, digits, hyphens (and UTF-8 labels); all of `text`.
bool is_domain(std::string_view text);
/// `[192.0.2.1]`, `[IPv6:2001:db8::1]`; general literals are refused: no tag is registered.
bool is_address_literal(std::string_view text);

}  // namespace postern::smtp
