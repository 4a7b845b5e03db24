// How much an API key is used: requests by calendar month (UTC), for its monthly cap and for bills.
// Tenant table `api_key_usage`; a key's months go with the key.
//
// Requests are counted elsewhere and added here in batches: what wasn't added yet when a process
// dies is lost.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/id.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "storage/sql/transaction.hpp"

namespace postern::accounts {

/// 202611 for November 2026.
using Month = std::int32_t;
Month month_of(Timestamp time);

struct KeyUsage {
  Month month = 0;
  std::uint64_t reads = 0;
  std::uint64_t writes = 0;
};

/// Adds to a month's counts. Errc::not_found (key).
Result<void> add_key_usage(sql::TenantScope& scope, ApiKeyId key, const KeyUsage& more);
/// Zero where nothing was added.
KeyUsage read_key_usage(sql::TenantScope& scope, ApiKeyId key, Month month);
/// In order of month, those after `after` (0: from the start); at most `limit`.
std::vector<KeyUsage> list_key_usage(sql::TenantScope& scope, ApiKeyId key, Month after,
                                     std::size_t limit);

}  // namespace postern::accounts
