#include "accounts/keys/api_key.hpp"

#include <fmt/format.h>

#include "accounts/keys/address_list.hpp"
#include "accounts/names.hpp"
#include "accounts/people/narrowing.hpp"
#include "accounts/people/stored.hpp"
#include "accounts/tenants.hpp"
#include "core/ascii.hpp"

namespace postern::accounts {

namespace {

#define KEY_COLUMNS                                                                               \
  "id, label, prefix, scopes, narrowed_domains, narrowed_accounts, addresses, reads_per_minute, " \
  "writes_per_minute, monthly_cap, created_by, created_at, expires_at, last_used_at, "            \
  "last_used_address, revoked_at, replaced_by"

constexpr std::uint64_t kMaxCap = 1ULL << 53;  // what JSON holds exactly
constexpr std::int64_t kPurgedAtOnce = 100;

template <class Number>
std::optional<Number> optional_number(const sql::Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return static_cast<Number>(row.integer(column));
}

template <class Number>
void bind_number(sql::Statement& statement, std::string_view name,
                 const std::optional<Number>& number) {
  if (number) {
    statement.bind(name, static_cast<std::int64_t>(*number));
  } else {
    statement.bind_null(name);
  }
}

ApiKey read_key(const sql::Statement& row) {
  ApiKey key;
  key.id = row.id<ApiKeyId>(0);
  key.label = row.text(1);
  key.prefix = row.text(2);
  key.scopes = read_permissions(row.text(3));
  key.narrowing = read_narrowing(row.text(4), row.text(5));
  key.addresses = split_lines(row.text(6));
  key.reads_per_minute = optional_number<std::uint32_t>(row, 7);
  key.writes_per_minute = optional_number<std::uint32_t>(row, 8);
  key.monthly_cap = optional_number<std::uint64_t>(row, 9);
  key.created_by = row.text(10);
  key.created = row.time(11);
  key.expires = optional_time(row, 12);
  key.last_used = optional_time(row, 13);
  key.last_used_address = row.text(14);
  key.revoked = optional_time(row, 15);
  if (!row.is_null(16)) key.replaced_by = row.id<ApiKeyId>(16);
  return key;
}

Result<void> check_prefix(std::string_view prefix) {
  bool good = !prefix.empty() && prefix.size() <= kMaxKeyPrefix;
  for (const char c : prefix) good = good && (ascii::is_alnum(c) || c == '_' || c == '-');
  if (!good) return fail(Errc::invalid, "a key's prefix is 1 to 24 letters, digits, '-' or '_'");
  return {};
}

Result<void> check_plain(const ApiKey& fresh) {
  if (auto good = check_prefix(fresh.prefix); !good) return good;
  if (auto good = check_text("the maker's name", fresh.created_by, kMaxMadeBy); !good) return good;
  if (fresh.expires && *fresh.expires <= fresh.created)
    return fail(Errc::invalid, "a key ends after it begins");
  if (fresh.monthly_cap && *fresh.monthly_cap > kMaxCap)
    return fail(Errc::invalid, "a monthly cap is at most 2^53");
  return {};
}

/// In its stored form, with what only time brings left out.
Result<ApiKey> checked(sql::TenantScope& scope, const ApiKey& fresh) {
  if (auto good = check_plain(fresh); !good) return std::unexpected(std::move(good.error()));
  auto label = parse_label(fresh.label);
  if (!label) return std::unexpected(std::move(label.error()));
  auto addresses = check_address_list(fresh.addresses);
  if (!addresses) return std::unexpected(std::move(addresses.error()));
  auto narrowing = check_narrowing(scope, fresh.narrowing);
  if (!narrowing) return std::unexpected(std::move(narrowing.error()));
  auto key = fresh;
  key.label = std::move(*label);
  key.addresses = std::move(*addresses);
  key.narrowing = std::move(*narrowing);
  key.last_used.reset();
  key.last_used_address.clear();
  key.revoked.reset();
  key.replaced_by.reset();
  return key;
}

void delete_digest(sql::TenantScope& scope, ApiKeyId id) {
  scope.transaction()
      .prepare("DELETE FROM api_key_digests WHERE tenant_id = :owner AND key_id = :id")
      .bind(":owner", scope.tenant())
      .bind(":id", id)
      .run();
}

void erase_key(sql::TenantScope& scope, ApiKeyId id) {
  delete_digest(scope, id);
  scope.prepare("DELETE FROM api_key_usage WHERE tenant_id = :tenant AND key_id = :id")
      .bind(":id", id)
      .run();
  scope.prepare("DELETE FROM api_keys WHERE tenant_id = :tenant AND id = :id")
      .bind(":id", id)
      .run();
}

void erase_all(sql::TenantScope& scope, sql::Statement rows) {
  std::vector<ApiKeyId> ended;
  while (rows.step()) ended.push_back(rows.id<ApiKeyId>(0));
  for (const auto id : ended) erase_key(scope, id);
}

void purge_ended(sql::TenantScope& scope, Timestamp now) {
  auto old = scope.prepare(
      "SELECT id FROM api_keys WHERE tenant_id = :tenant "
      "AND (revoked_at < :before OR expires_at < :before) LIMIT :limit");
  old.bind(":before", now - kEndedKeyKept).bind(":limit", kPurgedAtOnce);
  erase_all(scope, std::move(old));
  auto too_many = scope.prepare(
      "SELECT id FROM api_keys WHERE tenant_id = :tenant "
      "AND (revoked_at IS NOT NULL OR expires_at <= :now) ORDER BY id DESC LIMIT :limit "
      "OFFSET :kept");
  too_many.bind(":now", now).bind(":limit", kPurgedAtOnce).bind(":kept", as_integer(kMaxApiKeys));
  erase_all(scope, std::move(too_many));
}

Result<void> make_room(sql::TenantScope& scope, Timestamp now) {
  if (auto held = hold_tenant(scope.transaction(), scope.tenant()); !held) return held;
  purge_ended(scope, now);
  auto count = scope.prepare(
      "SELECT COUNT(1) FROM api_keys WHERE tenant_id = :tenant AND revoked_at IS NULL "
      "AND (expires_at IS NULL OR expires_at > :now)");
  count.bind(":now", now);
  if (count.step() && count.integer(0) >= as_integer(kMaxApiKeys)) {
    return fail(Errc::too_large,
                fmt::format("a tenant has at most {} API keys: revoke one first", kMaxApiKeys));
  }
  return {};
}

void insert_row(sql::TenantScope& scope, const ApiKey& key, std::string_view scopes) {
  auto insert = scope.prepare(
      "INSERT INTO api_keys (tenant_id, id, label, prefix, scopes, narrowed_domains, "
      "narrowed_accounts, addresses, reads_per_minute, writes_per_minute, monthly_cap, "
      "created_by, created_at, expires_at, last_used_address) VALUES (:tenant, :id, :label, "
      ":prefix, :scopes, :domains, :accounts, :addresses, :reads, :writes, :cap, :by, :created, "
      ":expires, '')");
  insert.bind(":id", key.id)
      .bind_text(":label", key.label)
      .bind_text(":prefix", key.prefix)
      .bind_text(":scopes", scopes)
      .bind_text(":domains", join_lines(key.narrowing.domains))
      .bind_text(":accounts", join_lines(key.narrowing.accounts))
      .bind_text(":addresses", join_lines(key.addresses))
      .bind_text(":by", key.created_by)
      .bind(":created", key.created);
  bind_number(insert, ":reads", key.reads_per_minute);
  bind_number(insert, ":writes", key.writes_per_minute);
  bind_number(insert, ":cap", key.monthly_cap);
  bind_optional(insert, ":expires", key.expires);
  insert.run();
}

Result<ApiKey> insert_key(sql::TenantScope& scope, std::string_view digest, const ApiKey& key) {
  const auto scopes = permissions_text(key.scopes);
  if (!scopes) return std::unexpected(scopes.error());
  try {
    scope.transaction()
        .prepare(
            "INSERT INTO api_key_digests (digest, tenant_id, key_id) "
            "VALUES (:digest, :owner, :id)")
        .bind_blob(":digest", digest)
        .bind(":owner", scope.tenant())
        .bind(":id", key.id)
        .run();
    insert_row(scope, key, *scopes);
  } catch (const sql::UniqueViolation&) {
    return fail(Errc::exists, "that key is here already: make another");
  }
  return key;
}

Result<void> check_overlap(const KeyRotation& rotation) {
  if (rotation.old_expires < rotation.now || rotation.old_expires > rotation.now + kMaxKeyOverlap) {
    return fail(Errc::invalid,
                fmt::format("an old key runs on for at most {} hours", kMaxKeyOverlap.count()));
  }
  return {};
}

void end_replaced(sql::TenantScope& scope, const ApiKey& old, const KeyRotation& rotation) {
  const auto end =
      old.expires ? std::min(*old.expires, rotation.old_expires) : rotation.old_expires;
  scope
      .prepare(
          "UPDATE api_keys SET replaced_by = :fresh, expires_at = :end WHERE tenant_id = :tenant "
          "AND id = :id")
      .bind(":fresh", rotation.fresh)
      .bind(":end", end)
      .bind(":id", old.id)
      .run();
}

}  // namespace

Result<ApiKey> add_api_key(sql::TenantScope& scope, std::string_view digest, const ApiKey& fresh) {
  if (auto good = check_digest(digest); !good) return std::unexpected(std::move(good.error()));
  if (auto room = make_room(scope, fresh.created); !room)
    return std::unexpected(std::move(room.error()));
  const auto key = checked(scope, fresh);
  if (!key) return key;
  return insert_key(scope, digest, *key);
}

Result<ApiKey> find_api_key(sql::TenantScope& scope, ApiKeyId id) {
  auto row =
      scope.prepare("SELECT " KEY_COLUMNS " FROM api_keys WHERE tenant_id = :tenant AND id = :id");
  row.bind(":id", id);
  if (!row.step()) return fail(Errc::not_found, "no such API key");
  return read_key(row);
}

std::vector<ApiKey> list_api_keys(sql::TenantScope& scope, ApiKeyId after, std::size_t limit) {
  auto rows = scope.prepare("SELECT " KEY_COLUMNS
                            " FROM api_keys WHERE tenant_id = :tenant AND id > :after "
                            "ORDER BY id LIMIT :limit");
  rows.bind(":after", after).bind(":limit", as_integer(limit));
  std::vector<ApiKey> keys;
  while (rows.step()) keys.push_back(read_key(rows));
  return keys;
}

Result<FoundApiKey> find_api_key(sql::Transaction& tx, std::string_view digest, Timestamp now) {
  auto row = tx.prepare("SELECT tenant_id, key_id FROM api_key_digests WHERE digest = :digest");
  row.bind_blob(":digest", digest);
  if (!row.step()) return fail(Errc::not_found, "no such API key");
  const auto tenant = row.id<TenantId>(0);
  sql::TenantScope scope(tx, tenant);
  const auto key = find_api_key(scope, row.id<ApiKeyId>(1));
  if (!key) return std::unexpected(key.error());
  if (key->revoked) return fail(Errc::not_found, "no such API key");
  if (!key->runs(now)) return fail(Errc::denied, "the API key has expired");
  return FoundApiKey{tenant, *key};
}

Result<void> revoke_api_key(sql::TenantScope& scope, ApiKeyId id, Timestamp now) {
  scope
      .prepare(
          "UPDATE api_keys SET revoked_at = :now WHERE tenant_id = :tenant AND id = :id "
          "AND revoked_at IS NULL")
      .bind(":now", now)
      .bind(":id", id)
      .run();
  if (scope.changes() == 0) {
    return fail(Errc::not_found, "no such API key, or it is revoked already");
  }
  delete_digest(scope, id);
  return {};
}

Result<ApiKey> rotate_api_key(sql::TenantScope& scope, const KeyRotation& rotation) {
  if (auto good = check_digest(rotation.digest); !good)
    return std::unexpected(std::move(good.error()));
  if (auto good = check_overlap(rotation); !good) return std::unexpected(std::move(good.error()));
  if (auto room = make_room(scope, rotation.now); !room)
    return std::unexpected(std::move(room.error()));
  const auto old = find_api_key(scope, rotation.old);
  if (!old) return old;
  if (!old->runs(rotation.now)) return fail(Errc::denied, "the API key has ended");
  if (old->replaced_by) return fail(Errc::denied, "the API key was replaced before");
  auto key = *old;
  key.id = rotation.fresh;
  key.prefix = rotation.prefix;
  key.created_by = rotation.made_by;
  key.created = rotation.now;
  key.expires = rotation.expires;
  const auto fresh = checked(scope, key);
  if (!fresh) return fresh;
  end_replaced(scope, *old, rotation);
  return insert_key(scope, rotation.digest, *fresh);
}

void note_key_use(sql::TenantScope& scope, ApiKeyId id, std::string_view address, Timestamp now) {
  scope
      .prepare(
          "UPDATE api_keys SET last_used_at = :now, last_used_address = :address "
          "WHERE tenant_id = :tenant AND id = :id AND (last_used_at IS NULL "
          "OR last_used_at <= :before OR last_used_address <> :address)")
      .bind(":now", now)
      .bind(":before", now - kKeyUseEvery)
      .bind_text(":address", shown_text(address, kMaxRemote))
      .bind(":id", id)
      .run();
}

#undef KEY_COLUMNS

}  // namespace postern::accounts
