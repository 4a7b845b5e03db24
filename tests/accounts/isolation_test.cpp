// No tenant sees or changes another's rows: every tenant table and every repository function, by
// enumeration.
#include <map>
#include <set>

#include "accounts/domain_records.hpp"
#include "accounts/outbound_hosts.hpp"
#include "tests/accounts/people/people.hpp"

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
    {"members", "SELECT COUNT(person_id) FROM members WHERE tenant_id = :tenant"},
    {"roles", "SELECT COUNT(id) FROM roles WHERE tenant_id = :tenant"},
    {"api_keys", "SELECT COUNT(id) FROM api_keys WHERE tenant_id = :tenant"},
    {"api_key_usage", "SELECT COUNT(month) FROM api_key_usage WHERE tenant_id = :tenant"},
    {"connections", "SELECT COUNT(id) FROM connections WHERE tenant_id = :tenant"},
    {"domain_records", "SELECT COUNT(name) FROM domain_records WHERE tenant_id = :tenant"},
    {"outbound_hosts", "SELECT COUNT(host) FROM outbound_hosts WHERE tenant_id = :tenant"},
};

struct TwoTenants : PeopleWorld {
  TenantId mine = tenant("mine").id;
  TenantId theirs = tenant("theirs").id;
  Domain home = domain(mine, "mine.example");
  Account owner = account(mine, "owner@mine.example");
  Account user = account(mine, "user@mine.example");
  Credential main_password = password(user, "a password");
  Credential app = app_password(user, "Phone").first;
  PersonId ann = person("ann@x.example");
  Role sender = role(mine, "Sender", "message.send");
  Member boss = member(mine, ann, "owner");
  Member helper = member(mine, person("bob@x.example"), "viewer", {{"mine.example"}, {}});
  ApiKey key = plain_key();
  Connection connection = plain_connection(ann);

  TwoTenants() {
    must(try_key(mine, "secret", key));
    must(try_connection(mine, connection));
    must(scoped(mine,
                [this](sql::TenantScope& s) { return add_key_usage(s, key.id, {202611, 1, 1}); }));
    must(scoped(mine,
                [](sql::TenantScope& s) { return set_outbound_hosts(s, {"logs.example.net"}); }));
    alias(mine, "info@mine.example", {"user@mine.example"});
    must(scoped(mine, [this](sql::TenantScope& s) {
      return set_catch_all(s, "mine.example", user.address);
    }));
    must(scoped(mine,
                [this](sql::TenantScope& s) { return grant_domain(s, user.id, "mine.example"); }));
    SigningKey signing;
    signing.id = SigningKeyId::make();
    signing.domain = "mine.example";
    signing.selector = "p1";
    signing.wrapped_private_key = "wrapped";
    must(scoped(mine, [signing](sql::TenantScope& s) { return add_signing_key(s, signing); }));
    must(try_look(mine));
  }

  /// Finds nothing that would have to be in the trail, so that there is no need of one here.
  Result<Noted> try_look(TenantId tenant) {
    const Look look{
        {{RecordPurpose::mx, "mine.example", RecordStatus::ok}}, clock.now(), WatchTiming{}};
    return scoped(tenant, [this, look](sql::TenantScope& s) {
      return note_look(s, audit::Chain(std::string(32, 'k')), home, look);
    });
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
  CHECK(nothing([=](auto& s) { return list_domain_records(s, "mine.example").empty(); }));
  CHECK(nothing([=](auto& s) { return !find_outbound_hosts(s); }));
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
  check_error(world.try_look(world.theirs), Errc::not_found);
  const auto due = [&] {
    return must(world.change([=](sql::Transaction& tx) -> Result<std::size_t> {
      return list_domains_to_check(tx, now, std::chrono::hours(6), 10).size();
    }));
  };
  CHECK(due() == 0);
  must(world.scoped(world.theirs, [=](sql::TenantScope& s) -> Result<void> {
    note_told(s, "mine.example", {}, now - std::chrono::days(1), WatchTiming{});
    return {};
  }));
  CHECK(due() == 0);

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

TEST_CASE("another_tenants_scope_finds_no_people_and_keys") {
  TwoTenants world;
  const auto ann = world.ann;
  const auto key = world.key.id;
  const auto connection = world.connection.id;
  const auto sender = world.sender.id;
  const auto helper = world.helper;
  const auto now = world.clock.now();
  const auto nothing = [&](auto f) { return world.look(world.theirs, f); };
  CHECK(nothing([=](auto& s) { return !find_member(s, ann); }));
  CHECK(nothing([=](auto& s) { return list_members(s, {}, 100).empty(); }));
  CHECK(nothing([=](auto& s) { return list_owners(s, 100).empty(); }));
  CHECK(nothing([=](auto& s) { return !find_role(s, sender); }));
  CHECK(nothing([=](auto& s) { return list_roles(s, "", 100).empty(); }));
  CHECK(nothing([=](auto& s) { return !check_role(s, sender.text()); }));
  CHECK(nothing([=](auto& s) { return role_permissions(s, sender.text()).empty(); }));
  CHECK(nothing([=](auto& s) { return !find_api_key(s, key); }));
  CHECK(nothing([=](auto& s) { return list_api_keys(s, {}, 100).empty(); }));
  CHECK(nothing([=](auto& s) { return read_key_usage(s, key, 202611).reads == 0; }));
  CHECK(nothing([=](auto& s) { return list_key_usage(s, key, 0, 100).empty(); }));
  CHECK(nothing([=](auto& s) { return !find_connection(s, connection); }));
  CHECK(nothing([=](auto& s) { return !open_connection(s, connection, "ann@x.example", now); }));
  CHECK(nothing([=](auto& s) { return list_connections(s, {}, 100).empty(); }));
  // The index leads to the key's own tenant, whoever asks.
  CHECK(must(world.by_secret("secret")).tenant == world.mine);
}

TEST_CASE("another_tenants_scope_changes_no_people_and_keys") {
  TwoTenants world;
  const auto before = world.count(world.mine);
  const auto ann = world.ann;
  const auto bob = world.helper.person;
  const auto key = world.key.id;
  const auto connection = world.connection.id;
  const auto sender = world.sender.id;
  const auto now = world.clock.now();
  const auto refused = [&](auto f) {
    const auto result = world.scoped(world.theirs, [f](sql::TenantScope& s) -> Result<void> {
      const auto inner = f(s);
      if (!inner) return std::unexpected(inner.error());
      return {};
    });
    return !result && result.error().code == Errc::not_found;
  };
  CHECK(refused([=](auto& s) { return set_member_role(s, bob, "admin"); }));
  CHECK(refused([=](auto& s) { return set_member_narrowing(s, bob, {}); }));
  CHECK(refused([=](auto& s) { return remove_member(s, bob); }));
  CHECK(refused([=](auto& s) { return make_owner(s, bob); }));
  CHECK(refused([=](auto& s) { return give_up_ownership(s, ann, "viewer"); }));
  CHECK(refused([=](auto& s) { return transfer_ownership(s, {ann, bob, "viewer"}); }));
  CHECK(refused([=](auto& s) { return add_member(s, {bob, sender.text(), {}, "", now}); }));
  CHECK(refused(
      [=](auto& s) { return add_member(s, {bob, "viewer", {{"mine.example"}, {}}, "", now}); }));
  CHECK(refused(
      [=](auto& s) { return update_role(s, sender, "Mine", PermissionSet::all(Realm::tenant)); }));
  CHECK(refused([=](auto& s) { return remove_role(s, sender); }));
  CHECK(refused([=](auto& s) { return revoke_api_key(s, key, now); }));
  CHECK(refused([=](auto& s) {
    return rotate_api_key(s, {key, ApiKeyId::make(), digest("new"), "p", "", now, now, {}});
  }));
  CHECK(refused([=](auto& s) { return add_key_usage(s, key, {202611, 1, 1}); }));
  CHECK(refused([=](auto& s) { return revoke_connection(s, connection, now); }));
  must(world.scoped(world.theirs, [=](sql::TenantScope& s) -> Result<void> {
    note_key_use(s, key, "192.0.2.1", now);
    if (auto done = forget_domain(s, "mine.example"); !done) return done;
    return forget_account(s, "user@mine.example");
  }));

  CHECK(world.count(world.mine) == before);
  CHECK_FALSE(must(world.by_secret("secret")).key.last_used);
  const auto kept = must(world.read_member(world.mine, bob));
  CHECK(kept.role == "viewer");
  CHECK(kept.narrowing.domains == std::vector<std::string>{"mine.example"});
  CHECK(must(world.read_member(world.mine, ann)).owner);
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
