// No tenant sees or changes another's rows: every tenant table and every repository function, by
// enumeration.
#include <map>
#include <set>

#include "tests/accounts/world.hpp"

using namespace postern;
using namespace postern::accounts;
using namespace postern::accounts::test;

namespace {

/// One statement a tenant table; the test below holds the list against the schema.
const std::map<std::string_view, std::string_view> kCounts{
    {"accounts", "SELECT COUNT(id) FROM accounts WHERE tenant_id = :tenant"},
    {"aliases", "SELECT COUNT(domain) FROM aliases WHERE tenant_id = :tenant"},
    {"catch_alls", "SELECT COUNT(domain) FROM catch_alls WHERE tenant_id = :tenant"},
    {"sender_grants", "SELECT COUNT(domain) FROM sender_grants WHERE tenant_id = :tenant"},
    {"credentials", "SELECT COUNT(id) FROM credentials WHERE tenant_id = :tenant"},
    {"signing_keys", "SELECT COUNT(id) FROM signing_keys WHERE tenant_id = :tenant"},
};

struct TwoTenants : World {
  TenantId mine = tenant("mine").id;
  TenantId theirs = tenant("theirs").id;
  Domain home = domain(mine, "mine.example");
  Account owner = account(mine, "owner@mine.example");
  Account user = account(mine, "user@mine.example");
  Credential main_password = password(user, "a password");
  Credential app = app_password(user, "Phone").first;

  TwoTenants() {
    alias(mine, "info@mine.example", {"user@mine.example"});
    must(scoped(mine, [this](sql::TenantScope& s) {
      return set_catch_all(s, "mine.example", user.address);
    }));
    must(scoped(mine,
                [this](sql::TenantScope& s) { return grant_domain(s, user.id, "mine.example"); }));
    SigningKey key;
    key.id = SigningKeyId::make();
    key.domain = "mine.example";
    key.selector = "p1";
    key.wrapped_private_key = "wrapped";
    must(scoped(mine, [key](sql::TenantScope& s) { return add_signing_key(s, key); }));
  }

  std::map<std::string_view, std::int64_t> count(TenantId tenant) {
    std::map<std::string_view, std::int64_t> counts;
    for (const auto& [table, text] : kCounts) {
      counts[table] =
          must(scoped(tenant, [statement = text](sql::TenantScope& s) -> Result<std::int64_t> {
            auto row = s.prepare(statement);
            row.step();
            return row.integer(0);
          }));
    }
    return counts;
  }
};

}  // namespace

TEST_CASE("every_tenant_table_is_enumerated_here") {
  std::set<std::string_view> declared(schema().tenant_tables.begin(), schema().tenant_tables.end());
  std::set<std::string_view> counted;
  for (const auto& [table, text] : kCounts) counted.insert(table);
  CHECK(declared == counted);
}

TEST_CASE("another_tenants_scope_sees_no_row_of_any_table") {
  TwoTenants world;
  for (const auto& [table, rows] : world.count(world.mine)) {
    INFO(table);
    CHECK(rows > 0);
  }
  for (const auto& [table, rows] : world.count(world.theirs)) {
    INFO(table);
    CHECK(rows == 0);
  }
}

TEST_CASE("another_tenants_scope_finds_nothing_by_any_function") {
  TwoTenants world;
  const auto user = world.user;
  const auto selector = world.app.selector;
  const auto main_id = world.main_password.id;
  const auto nothing = [&](auto f) {
    return must(
        world.scoped(world.theirs, [f](sql::TenantScope& s) -> Result<bool> { return f(s); }));
  };
  CHECK(nothing([=](auto& s) { return !find_account(s, user.id); }));
  CHECK(nothing([=](auto& s) { return !find_account(s, user.address); }));
  CHECK(nothing([=](auto& s) { return list_accounts(s, {}, 100).empty(); }));
  CHECK(nothing([=](auto& s) { return list_domain_grants(s, user.id).empty(); }));
  CHECK(nothing([=](auto& s) { return !find_alias(s, address("info@mine.example")); }));
  CHECK(nothing([=](auto& s) { return alias_targets(s, address("info@mine.example")).empty(); }));
  CHECK(nothing([=](auto& s) { return list_aliases(s, {}, 100).empty(); }));
  CHECK(nothing([=](auto& s) { return !find_catch_all(s, "mine.example"); }));
  CHECK(nothing([=](auto& s) { return list_credentials(s, user.id, 100).empty(); }));
  CHECK(nothing([=](auto& s) { return !find_password(s, user.id); }));
  CHECK(nothing([=](auto& s) { return !find_app_password(s, user.id, selector); }));
  CHECK(nothing([=](auto& s) { return !find_credential(s, main_id); }));
  CHECK(nothing([=](auto& s) { return list_signing_keys(s, "mine.example").empty(); }));
}

TEST_CASE("another_tenants_scope_changes_nothing_by_any_function") {
  TwoTenants world;
  const auto before = world.count(world.mine);
  const auto id = world.user.id;
  const auto name = world.user.address;
  const auto now = world.clock.now();
  const auto refused = [&](auto f) {
    const auto result = world.scoped(world.theirs, [f](sql::TenantScope& s) -> Result<void> {
      const auto inner = f(s);
      if (!inner) return std::unexpected(inner.error());
      return {};
    });
    return !result && (result.error().code == Errc::not_found);
  };
  const auto app = world.app;
  const auto main_row = world.main_password;
  CHECK(refused([=](auto& s) {
    return add_account(s, {AccountId::make(), address("x@mine.example"), "", now});
  }));
  CHECK(refused([=](auto& s) { return set_account_status(s, id, Status::suspended); }));
  CHECK(refused([=](auto& s) { return remove_account(s, id); }));
  CHECK(refused([=](auto& s) { return grant_domain(s, id, "mine.example"); }));
  CHECK(refused([=](auto& s) { return revoke_domain_grant(s, id, "mine.example"); }));
  CHECK(refused([=](auto& s) { return add_alias(s, address("x@mine.example"), {name}); }));
  CHECK(refused([=](auto& s) { return remove_alias(s, address("info@mine.example")); }));
  CHECK(
      refused([=](auto& s) { return remove_alias_target(s, address("info@mine.example"), name); }));
  CHECK(refused([=](auto& s) { return set_catch_all(s, "mine.example", name); }));
  CHECK(refused([=](auto& s) { return remove_catch_all(s, "mine.example"); }));
  CHECK(refused([=](auto& s) { return set_password(s, id, CredentialId::make(), "hash", now); }));
  CHECK(refused([=](auto& s) {
    return add_app_password(s, {CredentialId::make(), id, "aaaaaaaa", "x", "hash", now});
  }));
  CHECK(refused([=](auto& s) { return revoke_credential(s, id, app.id, now); }));
  CHECK(refused([=](auto& s) { return replace_hash(s, main_row.id, main_row.hash, "new"); }));
  CHECK(refused(
      [=](auto& s) { return set_signing_key_status(s, "mine.example", "p1", Status::suspended); }));
  CHECK(refused([=](auto& s) { return remove_signing_key(s, "mine.example", "p1"); }));
  CHECK(refused([=](auto& s) {
    SigningKey key;
    key.id = SigningKeyId::make();
    key.domain = "mine.example";
    key.selector = "p2";
    return add_signing_key(s, key);
  }));
  must(world.scoped(world.theirs,
                    [=](sql::TenantScope& s) { return note_use(s, main_row.id, now); }));

  CHECK(world.count(world.mine) == before);
  const auto kept = must(world.scoped(world.mine, [=](sql::TenantScope& s) -> Result<Credential> {
    return *find_credential(s, main_row.id);
  }));
  CHECK(kept.hash == main_row.hash);
  CHECK_FALSE(kept.last_used);
  CHECK(must(world.scoped(world.mine, [=](sql::TenantScope& s) {
          return find_account(s, id);
        })).status == Status::active);
}

TEST_CASE("another_tenants_account_may_not_send_as_ours") {
  TwoTenants world;
  world.domain(world.theirs, "theirs.example");
  const auto stranger = world.account(world.theirs, "user@theirs.example");
  for (const auto* from :
       {"user@mine.example", "info@mine.example", "any@mine.example", "postmaster@mine.example"}) {
    CHECK_FALSE(must(world.run(world.look_up.may_send_as({world.theirs, stranger.id}, from))));
    // An identity put together wrongly.
    CHECK_FALSE(must(world.run(world.look_up.may_send_as({world.mine, stranger.id}, from))));
  }
  CHECK(must(world.run(world.look_up.signing_keys(world.theirs, "mine.example")))->empty());
}
