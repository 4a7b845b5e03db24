// Reading a chain: pages for people, newest first, and everything in order for an export.
//
// A scope reaches its own tenant's chain alone. What is read here isn't verified (verify.hpp does).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "accounts/audit/record.hpp"
#include "storage/sql/transaction.hpp"

namespace postern::accounts::audit {

inline constexpr std::size_t kMaxPage = 1'000;
/// Records that one page looks at, when few of them match.
inline constexpr std::int64_t kPageWindow = 50'000;

/// Empty fields match everything.
struct Filter {
  std::string action{};             ///< what the action begins with: "domain." or "domain.create"
  std::string actor{};              ///< exactly: the actor's id or name, or who acted as the actor
  std::string target{};             ///< exactly
  std::optional<Timestamp> from{};  ///< not older
  std::optional<Timestamp> to{};    ///< older than this
};

struct Page {
  std::vector<Entry> entries;         ///< newest first; may be empty though there is a next page
  std::optional<std::uint64_t> next;  ///< `before` of the next page; none: this was the last
};

/// `before`: only records with lower numbers; `limit`: at most kMaxPage.
Page list(sql::TenantScope& scope, const Filter& filter, std::optional<std::uint64_t> before,
          std::size_t limit);
/// In ascending order, those with numbers above `after`.
std::vector<Entry> read_after(sql::TenantScope& scope, std::uint64_t after, std::size_t limit);
/// Errc::not_found.
Result<Entry> find_record(sql::TenantScope& scope, std::uint64_t number);

}  // namespace postern::accounts::audit
