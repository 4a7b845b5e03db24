// Who a request is from: the management socket's peer, an API key, or a person's session; and
// whether that caller's limits allow one more request.
//
// Keys and sessions are looked up in control.db; keys are kept in memory as long as no account
// changes (accounts/registry.hpp), so that what was revoked counts at once. Limits are counted in
// memory, exactly, by this process. Owner: app; one a process; thread-safe; outlives the sessions.
#pragma once

#include <expected>
#include <string>

#include "accounts/access/caller.hpp"
#include "accounts/generation_cache.hpp"
#include "accounts/keys/api_key.hpp"
#include "accounts/keys/key_meter.hpp"
#include "accounts/people/web_session.hpp"
#include "accounts/registry.hpp"
#include "core/rate_limiter.hpp"
#include "core/task.hpp"
#include "core/time.hpp"
#include "web/http/message.hpp"

namespace postern::web {

struct AccessOptions {
  Micros session_idle = std::chrono::minutes(30);
  /// People without a second factor may do nothing but set one up.
  bool require_second_factor = false;
  std::uint32_t address_requests = 300;  ///< a minute, by callers who aren't signed in
  std::uint32_t key_reads = 600;         ///< a minute, of a key that says nothing else
  std::uint32_t key_writes = 120;
};

/// A caller, and the session by which a person came.
struct Identity {
  accounts::Caller caller;
  std::optional<accounts::WebSession> session;
};

class AccessControl {
 public:
  AccessControl(AccessOptions options, accounts::Registry& registry, const Clock& clock);

  /// Whoever it is, perhaps nobody (through the witness's door always); or the refusal: 401 for a
  /// key or session that doesn't hold, 403 for credentials over a connection that strangers could
  /// read and for a request that another site could have made (no CSRF token), 404 for a tenant
  /// that isn't theirs (the header Postern-Tenant), 429 beyond the limits.
  Task<std::expected<Identity, Response>> identify(const Request& request);

  /// Writes what was counted of the keys' months. Now and then, and before the process ends.
  Task<Result<void>> flush_usage();

 private:
  struct KnownKey {
    TenantId tenant;
    accounts::ApiKey key;
  };
  using Refused = std::unexpected<Response>;

  /// A refusal of wrong credentials counts like a request of nobody: 429 beyond that limit.
  Response to_stranger(const Request& request, Response refusal);
  std::optional<Response> beyond_address_limit(const Request& request);
  Task<std::expected<Identity, Response>> by_key(const Request& request, std::string_view token);
  Task<Result<std::shared_ptr<const KnownKey>>> find_key(std::string digest);
  Task<std::optional<Response>> beyond_key_limits(const Request& request, const KnownKey& known);
  Task<std::expected<Identity, Response>> by_session(const Request& request,
                                                     const std::string& token);
  Task<Result<void>> touch(const accounts::WebSession& session);

  AccessOptions options_;
  accounts::Registry* registry_;
  const Clock* clock_;
  accounts::GenerationCache<const KnownKey> keys_;
  RateLimiter address_requests_;
  RateLimiter key_reads_;
  RateLimiter key_writes_;
  accounts::KeyMeter meter_;
};

}  // namespace postern::web
