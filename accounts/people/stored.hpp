// How values of people and keys are written into columns, and read back so that what can't be
// understood never allows more.
//
// Lists of names (domains, addresses, networks) are one a line: no name holds a line break. Sets of
// permissions are names with commas, in full: a permission of a later release is in no set that was
// stored before it. Shared by people/, keys/ and domain_records.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "accounts/access/permission.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "storage/sql/transaction.hpp"

namespace postern::accounts {

inline constexpr std::size_t kDigest = 32;      ///< octets of SHA-256 or HMAC-SHA256
inline constexpr std::size_t kMaxMadeBy = 100;  ///< octets: an id, or "uid 0"
inline constexpr std::size_t kMaxRemote = 45;   ///< octets of an IP address in text

std::string join_lines(const std::vector<std::string>& names);
std::vector<std::string> split_lines(std::string_view text);

/// Of a tenant's realm and not empty; Errc::invalid.
Result<std::string> permissions_text(const PermissionSet& permissions);
/// Names that aren't known any more, or are the platform's, are left out.
PermissionSet read_permissions(std::string_view text);

/// Errc::invalid: digests are made by this program, of one size.
Result<void> check_digest(std::string_view digest);
/// Errc::invalid: longer than `max`, not UTF-8, or with control characters. May be empty.
Result<void> check_text(std::string_view what, std::string_view text, std::size_t max);
/// Foreign text that is kept only to be shown: cut to `max` octets, what isn't printable ASCII
/// becomes '?'.
std::string shown_text(std::string_view text, std::size_t max);

std::optional<Timestamp> optional_time(const sql::Statement& row, int column);
void bind_optional(sql::Statement& statement, std::string_view name, std::optional<Timestamp> time);
/// For LIMIT, and counts beside a bound.
inline std::int64_t as_integer(std::size_t count) { return static_cast<std::int64_t>(count); }

}  // namespace postern::accounts
