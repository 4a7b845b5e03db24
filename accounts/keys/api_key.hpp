// API keys: how programs come in. Tenant table `api_keys`, with the digest of each key's secret in
// the platform table `api_key_digests`, since a request shows nothing but the key.
//
// The secret is random and long, so its SHA-256 is enough; it is shown once by whoever made it.
// Invariants: a key has permissions of its tenant alone, and never more than were stored for it
// (what its maker may do now is the caller's to intersect); a revoked or replaced-and-expired key
// is found by no digest. Limits: nullopt is none of the key's own, 0 allows nothing.
//
// Ended keys are listed for kEndedKeyKept (the newest kMaxApiKeys of them), then they go with their
// usage when another key is added.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "accounts/access/caller.hpp"
#include "core/id.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "storage/sql/transaction.hpp"

namespace postern::accounts {

inline constexpr std::size_t kMaxApiKeys = 1000;  ///< of one tenant, that haven't ended
inline constexpr std::size_t kMaxKeyPrefix = 24;  ///< octets
inline constexpr std::chrono::hours kEndedKeyKept{24 * 90};
inline constexpr std::chrono::hours kMaxKeyOverlap{24 * 30};
inline constexpr std::chrono::minutes kKeyUseEvery{1};

struct ApiKey {
  ApiKeyId id;
  std::string label;   ///< see parse_label
  std::string prefix;  ///< the key's first characters, for people to recognise it
  PermissionSet scopes;
  Narrowing narrowing;                 ///< see check_narrowing
  std::vector<std::string> addresses;  ///< see check_address_list; empty: from everywhere
  std::optional<std::uint32_t> reads_per_minute;
  std::optional<std::uint32_t> writes_per_minute;
  std::optional<std::uint64_t> monthly_cap;  ///< requests; at most 2^53
  std::string created_by;                    ///< an id, or "uid 0"
  Timestamp created;
  std::optional<Timestamp> expires;
  std::optional<Timestamp> last_used;  ///< as of kKeyUseEvery ago
  std::string last_used_address;       ///< empty before the first use
  std::optional<Timestamp> revoked;
  std::optional<ApiKeyId> replaced_by;

  [[nodiscard]] bool runs(Timestamp now) const { return !revoked && (!expires || now < *expires); }
};

/// The uses, the revocation and the replacement of `fresh` are not taken. Errc::invalid (label,
/// prefix, scopes, networks, an end that is past, the digest), Errc::not_found (a name of the
/// narrowing, the tenant), Errc::too_large, Errc::exists (the digest).
Result<ApiKey> add_api_key(sql::TenantScope& scope, std::string_view digest, const ApiKey& fresh);
Result<ApiKey> find_api_key(sql::TenantScope& scope, ApiKeyId id);
/// In order of id (oldest first), those after `after` (nil: from the start); ended ones with them.
std::vector<ApiKey> list_api_keys(sql::TenantScope& scope, ApiKeyId after, std::size_t limit);

struct FoundApiKey {
  TenantId tenant;
  ApiKey key;
};
/// What a request came with. Errc::not_found: unknown or revoked; Errc::denied: expired. Networks,
/// rates, and whether the tenant is active are the caller's checks.
Result<FoundApiKey> find_api_key(sql::Transaction& tx, std::string_view digest, Timestamp now);

/// At once. Errc::not_found when there is none such unrevoked.
Result<void> revoke_api_key(sql::TenantScope& scope, ApiKeyId id, Timestamp now);

struct KeyRotation {
  ApiKeyId old;
  ApiKeyId fresh;
  std::string digest;  ///< of the new key's secret
  std::string prefix;
  std::string made_by;
  Timestamp now;
  Timestamp old_expires;             ///< from now on, and at most kMaxKeyOverlap later
  std::optional<Timestamp> expires;  ///< of the new one
};
/// A new key that may do what the old one may; the old one expires at the time given, or earlier if
/// it would have. Errc::denied when the old one has ended or was replaced before; else as add.
Result<ApiKey> rotate_api_key(sql::TenantScope& scope, const KeyRotation& rotation);

/// Writes at most once in kKeyUseEvery, or when the address is another.
void note_key_use(sql::TenantScope& scope, ApiKeyId id, std::string_view address, Timestamp now);

}  // namespace postern::accounts
