// /v1/keys: API keys of a tenant. The key itself is in one answer only, when it is made.
#include "accounts/factors/one_time_token.hpp"
#include "accounts/keys/address_list.hpp"
#include "accounts/keys/api_key.hpp"
#include "accounts/keys/key_usage.hpp"
#include "web/api/handlers.hpp"
#include "web/api/json_lists.hpp"
#include "web/api/support.hpp"

namespace postern::web::api {

namespace json = boost::json;
using accounts::ApiKey;

namespace {

constexpr std::size_t kPrefixShown = 8;  // characters of the random part
constexpr std::chrono::hours kOverlap{24};

std::string_view status_of(const ApiKey& key, Timestamp now) {
  if (key.revoked) return "revoked";
  if (key.expires && *key.expires <= now) return "expired";
  return key.replaced_by ? "replaced" : "active";
}

template <class Number>
json::value number_or_null(const std::optional<Number>& number) {
  return number ? json::value(*number) : json::value();
}

json::object to_json(const ApiKey& key, Timestamp now) {
  return {{"id", key.id.text()},
          {"label", key.label},
          {"prefix", key.prefix},
          {"scopes", names_json(key.scopes)},
          {"domains", texts_json(key.narrowing.domains)},
          {"accounts", texts_json(key.narrowing.accounts)},
          {"addresses", texts_json(key.addresses)},
          {"reads_per_minute", number_or_null(key.reads_per_minute)},
          {"writes_per_minute", number_or_null(key.writes_per_minute)},
          {"monthly_cap", number_or_null(key.monthly_cap)},
          {"created_by", key.created_by},
          {"created_at", timestamp_text(key.created)},
          {"expires_at", time_or_null(key.expires)},
          {"last_used_at", time_or_null(key.last_used)},
          {"last_used_address", key.last_used_address},
          {"status", status_of(key, now)}};
}

struct Secret {
  std::string text = accounts::make_secret_token(accounts::kApiKeyPrefix);
  std::string digest = accounts::token_digest(text).value_or("");
  std::string prefix = text.substr(0, accounts::kApiKeyPrefix.size() + kPrefixShown);
};

Response answer_with(const ApiKey& key, const Secret& secret, Timestamp now) {
  json::object document = to_json(key, now);
  document["key"] = secret.text;
  Response response = json_response(document, 201);
  response.secrecy = Response::Secrecy::secret;
  return response;
}

template <class Number>
std::optional<Number> narrowed(std::optional<std::int64_t> number) {
  if (!number) return std::nullopt;
  return static_cast<Number>(*number);
}

// What is asked for, before the narrowing is looked up.
Result<ApiKey> key_of(const Call& call, const Secret& secret) {
  ApiKey key;
  key.id = ApiKeyId::make();
  key.label = call.text("label");
  key.prefix = secret.prefix;
  auto scopes = accounts::parse_permissions(joined(call.texts("scopes")));
  if (!scopes) return fail(Errc::invalid, "\"scopes\" names a permission that there isn't");
  key.scopes = *scopes;
  key.narrowing = {call.texts("domains"), call.texts("accounts")};
  auto addresses = accounts::check_address_list(call.texts("addresses"));
  if (!addresses) return std::unexpected(addresses.error());
  key.addresses = std::move(*addresses);
  key.reads_per_minute = narrowed<std::uint32_t>(call.integer("reads_per_minute"));
  key.writes_per_minute = narrowed<std::uint32_t>(call.integer("writes_per_minute"));
  key.monthly_cap = narrowed<std::uint64_t>(call.integer("monthly_cap"));
  key.created_by = call.caller.name;
  key.created = call.now();
  key.expires = call.time("expires_at");
  return key;
}

Result<ApiKey> insert_key(accounts::Reach& reach, const std::string& tenant_name,
                          const std::string& digest, const ApiKey& key) {
  auto tenant = reach.tenant_or_own(tenant_name);
  if (!tenant) return std::unexpected(tenant.error());
  // Nobody gives what they don't have.
  if (!reach.caller().permissions.contains(key.scopes))
    return fail(Errc::denied, "a key can't have permissions that its maker hasn't");
  auto scope = reach.scope(tenant->id);
  reach.set_target("key:" + key.id.text());
  return accounts::add_api_key(scope, digest, key);
}

std::optional<ApiKeyId> id_of(const Call& call) {
  const auto id = parse_uuid(call.parameter("key"));
  if (!id) return std::nullopt;
  return ApiKeyId{*id};
}

Response no_key() { return problem(404, "Not found", "no such API key"); }

Response refusal(const Error& error) {
  return error.code == Errc::not_found ? no_key() : problem(error);
}

}  // namespace

Task<Response> add_key(Call& call) {
  const Secret secret;
  auto wanted = key_of(call, secret);
  if (!wanted) co_return problem(wanted.error());
  auto added = co_await call.change<ApiKey>([tenant = call.text("tenant"), digest = secret.digest,
                                             key = std::move(*wanted)](accounts::Reach& reach) {
    return insert_key(reach, tenant, digest, key);
  });
  if (!added) co_return problem(added.error());
  co_return answer_with(*added, secret, call.now());
}

Task<Response> list_keys(Call& call) {
  const auto after = parse_uuid(call.query("cursor")).value_or(Uuid{});
  auto found = co_await call.read<std::vector<ApiKey>>(
      [tenant = call.query("tenant"),
       after](accounts::Reach& reach) -> Result<std::vector<ApiKey>> {
        auto owner = reach.tenant_or_own(tenant);
        if (!owner) return std::unexpected(owner.error());
        auto scope = reach.scope(owner->id);
        return accounts::list_api_keys(scope, ApiKeyId{after}, kPage);
      });
  if (!found) co_return problem(found.error());
  json::array items;
  for (const auto& key : *found) items.push_back(to_json(key, call.now()));
  co_return list_response(std::move(items), found->size(),
                          found->empty() ? "" : found->back().id.text());
}

Task<Response> show_key(Call& call) {
  const auto id = id_of(call);
  if (!id) co_return no_key();
  struct View {
    ApiKey key;
    accounts::KeyUsage usage;
  };
  auto found = co_await call.read<View>([id = *id, tenant = call.query("tenant"),
                                         now = call.now()](accounts::Reach& reach) -> Result<View> {
    auto owner = reach.tenant_or_own(tenant);
    if (!owner) return std::unexpected(owner.error());
    auto scope = reach.scope(owner->id);
    auto key = accounts::find_api_key(scope, id);
    if (!key) return std::unexpected(key.error());
    return View{*key, accounts::read_key_usage(scope, id, accounts::month_of(now))};
  });
  if (!found) co_return refusal(found.error());
  auto document = to_json(found->key, call.now());
  document["requests_this_month"] = found->usage.reads + found->usage.writes;
  co_return json_response(document);
}

Task<Response> revoke_key(Call& call) {
  const auto id = id_of(call);
  if (!id) co_return no_key();
  auto revoked =
      co_await call.change<void>([id = *id, tenant = call.query("tenant"),
                                  now = call.now()](accounts::Reach& reach) -> Result<void> {
        auto owner = reach.tenant_or_own(tenant);
        if (!owner) return std::unexpected(owner.error());
        reach.set_target("key:" + id.text());
        auto scope = reach.scope(owner->id);
        return accounts::revoke_api_key(scope, id, now);
      });
  if (!revoked) co_return refusal(revoked.error());
  co_return no_content();
}

Task<Response> rotate_key(Call& call) {
  const auto id = id_of(call);
  if (!id) co_return no_key();
  const Secret secret;
  const auto now = call.now();
  const Micros overlap = call.integer("overlap_seconds")
                             .transform([](std::int64_t n) { return Micros(n * 1'000'000); })
                             .value_or(kOverlap);
  const accounts::KeyRotation rotation{*id,           ApiKeyId::make(), secret.digest,
                                       secret.prefix, call.caller.name, now,
                                       now + overlap, std::nullopt};
  auto fresh = co_await call.change<ApiKey>(
      [rotation, tenant = call.query("tenant")](accounts::Reach& reach) -> Result<ApiKey> {
        auto owner = reach.tenant_or_own(tenant);
        if (!owner) return std::unexpected(owner.error());
        reach.set_target("key:" + rotation.old.text());
        auto scope = reach.scope(owner->id);
        auto old = accounts::find_api_key(scope, rotation.old);
        if (!old) return old;
        if (!reach.caller().permissions.contains(old->scopes))
          return fail(Errc::denied, "a key can't have permissions that its maker hasn't");
        return accounts::rotate_api_key(scope, rotation);
      });
  if (!fresh) co_return refusal(fresh.error());
  co_return answer_with(*fresh, secret, now);
}

}  // namespace postern::web::api
