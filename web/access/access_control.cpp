#include "web/access/access_control.hpp"

#include <fmt/format.h>

#include "accounts/factors/one_time_token.hpp"
#include "accounts/keys/address_list.hpp"
#include "accounts/login_guard.hpp"
#include "accounts/tenants.hpp"
#include "core/ascii.hpp"
#include "core/ip_address.hpp"
#include "core/log.hpp"
#include "web/access/cookies.hpp"
#include "web/access/person_caller.hpp"

namespace postern::web {

namespace {

using accounts::Caller;
using accounts::CallerKind;

constexpr std::size_t kKeysInMemory = 10'000;
constexpr std::size_t kNetworksInMemory = 50'000;

Response not_signed_in(std::string_view why) {
  Response refusal = problem(401, "Not signed in", why);
  refusal.headers.emplace_back("WWW-Authenticate", "Bearer");
  return refusal;
}

// Takes the cookies away as well: a browser that went on sending them couldn't sign in again.
Response session_over(const Request& request, std::string_view why) {
  Response refusal = not_signed_in(why);
  clear_session_cookies(refusal, request.peer.transport);
  return refusal;
}

std::string header_of(const Request& request, const std::string& name) {
  const auto found = request.headers.find(name);
  return found == request.headers.end() ? std::string() : found->second;
}

bool is_read(const Request& request) { return request.method == Method::get; }

// What strangers could read on the way isn't taken for a secret; loopback is no way.
bool is_private(const Peer& peer) {
  return peer.transport == Transport::tls || address_of(peer).is_loopback();
}

Caller caller_of(const TenantId tenant, const accounts::ApiKey& key) {
  Caller caller;
  caller.kind = CallerKind::api_key;
  caller.id = key.id.text();
  caller.name = key.label;
  caller.tenant = tenant;
  caller.permissions = key.scopes;
  caller.narrowing = key.narrowing;
  return caller;
}

}  // namespace

AccessControl::AccessControl(AccessOptions options, accounts::Registry& registry,
                             const Clock& clock)
    : options_(options),
      registry_(&registry),
      clock_(&clock),
      keys_(kKeysInMemory),
      address_requests_(kNetworksInMemory),
      key_reads_(kKeysInMemory),
      key_writes_(kKeysInMemory),
      meter_(registry) {}

Task<Result<void>> AccessControl::flush_usage() { co_return co_await meter_.flush(); }

Task<std::expected<Identity, Response>> AccessControl::identify(const Request& request) {
  if (request.peer.door == Door::management) {
    co_return Identity{accounts::operator_caller(request.peer.uid), std::nullopt};
  }
  if (request.peer.door == Door::witness) co_return Identity{};  // the socket is the door
  const auto authorization = header_of(request, "authorization");
  const auto cookie = session_token(request);
  if (!authorization.empty() || !cookie.empty()) {
    if (!is_private(request.peer)) {
      co_return Refused(to_stranger(
          request,
          problem(403, "Not over this connection", "keys and sessions are taken over https only")));
    }
    if (authorization.empty()) co_return co_await by_session(request, cookie);
    constexpr std::string_view kBearer = "Bearer ";
    if (!ascii::istarts_with(authorization, kBearer)) {
      co_return Refused(not_signed_in("the Authorization header takes \"Bearer\" and an API key"));
    }
    co_return co_await by_key(request, std::string_view(authorization).substr(kBearer.size()));
  }
  if (request.peer.door == Door::metrics) co_return Identity{};
  if (auto refused = beyond_address_limit(request)) co_return Refused(std::move(*refused));
  co_return Identity{};
}

std::optional<Response> AccessControl::beyond_address_limit(const Request& request) {
  const auto network = accounts::network_of(address_of(request.peer));
  const auto admission = address_requests_.admit(network, options_.address_requests, clock_->now());
  if (admission.admitted) return std::nullopt;
  return too_many_requests("too many requests from this network", admission.retry_after);
}

Response AccessControl::to_stranger(const Request& request, Response refusal) {
  auto beyond = beyond_address_limit(request);
  return beyond ? std::move(*beyond) : std::move(refusal);
}

Task<Result<std::shared_ptr<const AccessControl::KnownKey>>> AccessControl::find_key(
    std::string digest) {
  using Found = std::shared_ptr<const KnownKey>;
  const auto generation = registry_->generation();
  if (auto known = keys_.find(generation, digest)) co_return known;
  auto found = co_await registry_->read<Found>(
      [digest, now = clock_->now()](sql::Transaction& tx) -> Result<Found> {
        auto held = accounts::find_api_key(tx, digest, now);
        if (!held) return std::unexpected(held.error());
        auto tenant = accounts::find_tenant(tx, held->tenant);
        if (!tenant) return std::unexpected(tenant.error());
        if (tenant->status != accounts::Status::active)
          return fail(Errc::denied, "the tenant is suspended");
        return std::make_shared<const KnownKey>(held->tenant, std::move(held->key));
      });
  if (found) keys_.store(generation, digest, *found);
  co_return found;
}

Task<std::expected<Identity, Response>> AccessControl::by_key(const Request& request,
                                                              std::string_view token) {
  const auto digest = accounts::token_digest(token, accounts::kApiKeyPrefix);
  if (!digest) co_return Refused(to_stranger(request, not_signed_in("this is not an API key")));
  const auto generation = registry_->generation();
  auto known = co_await find_key(*digest);
  const auto now = clock_->now();
  if (!known && known.error().code != Errc::not_found && known.error().code != Errc::denied)
    co_return Refused(problem(known.error()));
  if (!known || !(*known)->key.runs(now))
    co_return Refused(
        to_stranger(request, not_signed_in("this API key doesn't exist, or not any more")));
  const auto& [tenant, key] = **known;
  if (!accounts::list_allows(key.addresses, address_of(request.peer)))
    co_return Refused(problem(403, "Not allowed", "not from this address with this API key"));
  if (auto refused = co_await beyond_key_limits(request, **known))
    co_return Refused(std::move(*refused));
  const bool noted = key.last_used && now - *key.last_used < accounts::kKeyUseEvery;
  if (!noted) {
    auto written =
        co_await registry_->note<void>([tenant, id = key.id, address = request.peer.address,
                                        now](sql::Transaction& tx) -> Result<void> {
          sql::TenantScope scope(tx, tenant);
          accounts::note_key_use(scope, id, address, now);
          return {};
        });
    if (!written) log::warn("key_use_not_noted", {{"error", written.error().message}});
    auto seen = std::make_shared<KnownKey>(**known);
    seen->key.last_used = now;
    // Under the generation of the look-up: the key may have been revoked while this was written.
    keys_.store(generation, *digest, std::move(seen));
  }
  co_return Identity{caller_of(tenant, key), std::nullopt};
}

Task<std::optional<Response>> AccessControl::beyond_key_limits(const Request& request,
                                                               const KnownKey& known) {
  const auto& key = known.key;
  const auto now = clock_->now();
  const bool read = is_read(request);
  const auto name = key.id.text();
  const auto admission =
      read ? key_reads_.admit(name, key.reads_per_minute.value_or(options_.key_reads), now)
           : key_writes_.admit(name, key.writes_per_minute.value_or(options_.key_writes), now);
  if (!admission.admitted) {
    co_return too_many_requests(read ? "too many reading requests with this API key in a minute"
                                     : "too many changing requests with this API key in a minute",
                                admission.retry_after);
  }
  auto within = co_await meter_.admit(known.tenant, key.id, key.monthly_cap,
                                      read ? accounts::Use::read : accounts::Use::write, now);
  if (!within) co_return problem(within.error());
  if (*within) co_return std::nullopt;
  co_return too_many_requests("this API key's requests of the month are used up",
                              std::chrono::hours(1));
}

Task<std::expected<Identity, Response>> AccessControl::by_session(const Request& request,
                                                                  const std::string& token) {
  const auto digest = accounts::token_digest(token, kSessionPrefix);
  if (!digest)
    co_return Refused(to_stranger(request, session_over(request, "this is not a session")));
  if (!is_read(request) && !csrf_holds(request, token)) {
    co_return Refused(to_stranger(
        request, problem(403, "Not from here",
                         "a session's changing requests need the header X-CSRF-Token")));
  }
  const PersonQuestion question{*digest, header_of(request, "postern-tenant"),
                                options_.session_idle, clock_->now(),
                                options_.require_second_factor};
  auto found = co_await registry_->read<PersonAnswer>(
      [question](sql::Transaction& tx) { return find_person_caller(tx, question); });
  if (!found && found.error().code == Errc::not_found)
    co_return Refused(
        to_stranger(request, session_over(request, "the session has ended: sign in again")));
  if (!found) co_return Refused(problem(found.error()));
  if (found->tenant_unknown) {
    co_return Refused(
        problem(404, "Not found", fmt::format("there is no tenant \"{}\"", question.tenant)));
  }
  auto touched = co_await touch(found->session);
  if (!touched) log::warn("session_not_touched", {{"error", touched.error().message}});
  co_return Identity{std::move(found->caller), std::move(found->session)};
}

Task<Result<void>> AccessControl::touch(const accounts::WebSession& session) {
  const auto now = clock_->now();
  if (!session.touch_is_due(now)) co_return Result<void>{};
  co_return co_await registry_->note<void>(
      [id = session.id, now](sql::Transaction& tx) -> Result<void> {
        accounts::touch_session(tx, id, now);
        return {};
      });
}

}  // namespace postern::web
