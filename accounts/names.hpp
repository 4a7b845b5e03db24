// Names of the house: addresses and domains in the one form in which they are stored and compared.
//
// Input is untrusted (RCPT TO, AUTH, the API). A domain becomes its lower-case A-label form (RFC
// 5890, UTS 46); a local part is unquoted, and compared without case (hosted mailboxes here are
// case-insensitive, as RFC 5321 §2.4 lets the receiving host decide): ASCII lower case, or
// Unicode's canonical caseless form where it holds UTF-8 (RFC 6531).
#pragma once

#include <compare>
#include <cstddef>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace postern::accounts {

inline constexpr std::size_t kMaxDomain = 253;   ///< octets in text, without the final dot
inline constexpr std::size_t kMaxAddress = 254;  ///< octets: a path of 256 without its brackets
inline constexpr char kDetailSeparator = '+';    ///< sub-addressing (RFC 5233's example)

/// A canonical address. Two addresses name the same mailbox exactly when they are equal.
struct Address {
  std::string local;   ///< unquoted, case-folded
  std::string domain;  ///< A-labels, lower case, no final dot

  auto operator<=>(const Address&) const = default;
  /// `local@domain`, the local part quoted when its text needs it (RFC 5321 §4.1.2).
  [[nodiscard]] std::string text() const;
};

/// "User+tag@Example.COM", "\"john doe\"@example.com", "user@bücher.example". No source route, no
/// angle brackets, no address literal. Errc::invalid says what is wrong.
Result<Address> parse_address(std::string_view text);

/// A host or mail domain: at least one dot, LDH labels of 1 to 63 octets once in A-label form.
Result<std::string> parse_domain(std::string_view text);

/// The part before the first separator, and what follows it; detail is empty when there is none.
struct SubAddress {
  std::string base;
  std::string detail;
};
SubAddress split_detail(std::string_view local);

/// "example.com" to "com.example.": sorts a domain right before everything below it.
std::string reversed_name(std::string_view domain);

/// A tenant's name: 1 to 63 of a-z, 0-9, '-', '_' and '.', beginning with a letter or digit.
/// Lower-cased.
Result<std::string> parse_tenant_name(std::string_view text);

/// A label that people give to a key or app password: 1 to 100 octets of UTF-8, no control
/// characters.
Result<std::string> parse_label(std::string_view text);

}  // namespace postern::accounts
