// Addresses as header fields hold them: lists with names, groups, comments and every obsolete form.
// (For the one address of an SMTP command see email_address.hpp.)
//
// Input is untrusted and the parser never fails: what can't be understood is skipped up to the next
// comma, or given as a mailbox without a domain. Standards: RFC 5322 §3.4, §4.4; RFC 6532 (UTF-8).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::message {

inline constexpr std::size_t kMaxAddresses = 10'000;  ///< of one field; the rest is left out

struct Address {
  enum class Kind : std::uint8_t {
    mailbox,
    group_start,  ///< `name` is the group's; mailboxes follow
    group_end,
  };
  Kind kind = Kind::mailbox;
  std::string name;    ///< phrase without quotes, encoded words NOT decoded (as ENVELOPE wants it)
  std::string route;   ///< obsolete source route "@a,@b" (RFC 5322 §4.4), usually empty
  std::string local;   ///< without quotes
  std::string domain;  ///< as written, comments and space removed; literals with brackets

  bool operator==(const Address&) const = default;
  /// Name with encoded words decoded, UTF-8.
  [[nodiscard]] std::string display_name() const;
  /// "local@domain", quoted where needed; only "local" without a domain.
  [[nodiscard]] std::string addr_spec() const;
};

std::vector<Address> parse_address_list(std::string_view raw_value);

/// The mailboxes of a list only (groups flattened).
std::vector<Address> parse_mailboxes(std::string_view raw_value);

/// "local" as it is, or as a quoted string when it isn't a dot-atom (RFC 5322 §3.2.3, §3.2.4).
std::string quote_local(std::string_view local);

/// A phrase for a header: atoms, a quoted string or encoded words, as its characters need.
std::string encode_phrase(std::string_view utf8_name);

/// `name <local@domain>` or the bare address; ASCII unless the address itself isn't.
std::string format_mailbox(std::string_view utf8_name, std::string_view addr_spec);

/// Message ids in angle brackets in a References or In-Reply-To value, brackets kept, in order.
std::vector<std::string> parse_message_ids(std::string_view raw_value);

}  // namespace postern::message
