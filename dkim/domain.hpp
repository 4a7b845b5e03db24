// Domain names as mail authentication compares them: lower case, A-labels, no final dot.
//
// Standards: RFC 5890/UTS 46 for U-labels (ICU), RFC 1035 §2.3.4 for sizes. Untrusted: every name.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace postern::dkim {

inline constexpr std::size_t kMaxNameLength = 253;  ///< octets, without the final dot
inline constexpr std::size_t kMaxLabelLength = 63;

/// Lower case, U-labels to A-labels, one final dot dropped; nullopt when it is no domain name
/// (empty label, too long, an octet outside letters, digits, '-' and '_').
std::optional<std::string> normalize_domain(std::string_view name);

/// Whether a name could be asked of DNS at all: sizes and printable octets only.
bool is_queryable(std::string_view name);

/// `name` is `ancestor` or below it. Both normalised.
bool is_at_or_below(std::string_view name, std::string_view ancestor);

std::size_t count_labels(std::string_view name);

/// The name without its first label; empty when it had one only.
std::string_view parent_of(std::string_view name);

/// The organizational domain by the public suffix list (libpsl's built-in copy): a second opinion
/// for reports and domain checks, not used for alignment. nullopt for a public suffix itself.
std::optional<std::string> registrable_domain(std::string_view name);

}  // namespace postern::dkim
