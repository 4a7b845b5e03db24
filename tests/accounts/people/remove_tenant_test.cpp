// What the end of a tenant takes with it, and that old databases get the new tables.
#include <map>

#include "accounts/outbound_hosts.hpp"
#include "storage/schema.hpp"
#include "tests/accounts/people/people.hpp"

using namespace postern;
using namespace postern::accounts;
using namespace postern::accounts::test;

namespace {

using Counts = std::map<std::string, std::int64_t>;

/// Rows of a tenant in every tenant table, and in every platform table that names one.
Counts rows_of(PeopleWorld& world, TenantId tenant) {
  return must(world.change([tenant](sql::Transaction& tx) -> Result<Counts> {
    Counts counts;
    sql::TenantScope scope(tx, tenant);
    for (const auto table : schema().tenant_tables) {
      const auto text = "SELECT COUNT(1) FROM " + std::string(table) + " WHERE tenant_id = :tenant";
      auto row = scope.prepare(text);
      row.step();
      counts[std::string(table)] = row.integer(0);
    }
    for (const std::string table :
         {"memberships", "one_time_tokens", "api_key_digests", "connections_by_grantee"}) {
      const auto text = "SELECT COUNT(1) FROM " + table + " WHERE tenant_id = :id";
      auto row = tx.prepare(text);
      row.bind(":id", tenant).step();
      counts[table] = row.integer(0);
    }
    return counts;
  }));
}

void fill(PeopleWorld& world, TenantId tenant, PersonId person) {
  world.member(tenant, person, "owner");
  world.role(tenant, "Sender", "message.send");
  const auto key = world.plain_key();
  must(world.try_key(tenant, "key of " + tenant.text(), key));
  must(world.scoped(
      tenant, [id = key.id](sql::TenantScope& s) { return add_key_usage(s, id, {202611, 1, 1}); }));
  must(world.try_connection(tenant, world.plain_connection(person)));
  must(world.scoped(
      tenant, [](sql::TenantScope& s) { return set_outbound_hosts(s, {"logs.example.net"}); }));
  auto invitation = world.plain_token(TokenKind::invitation, "new@x.example");
  invitation.tenant = tenant;
  must(world.try_token("invitation to " + tenant.text(), invitation));
}

std::unique_ptr<storage::Database> open_first_release(const std::string& path) {
  // What was declared before the second migration: the first of each list.
  storage::Database::Options options;
  options.path = path;
  options.schemas = {{"accounts", schema().migrations.first(1), schema().tenant_tables.first(6),
                      schema().platform_tables.first(3)},
                     storage::outbox_schema()};
  return must(storage::Database::open(std::move(options)));
}

void fill_first_release(storage::Database& control, TenantId id) {
  must(control.write_blocking<void>(
      storage::Purpose::outcome, [id](sql::Transaction& tx) -> Result<void> {
        if (auto made = add_tenant(tx, {id, "acme", 1, "wrapped", {}}); !made)
          return std::unexpected(made.error());
        // As that release wrote it: today's code knows columns that it hadn't.
        tx.prepare(
              "INSERT INTO domains (name, reversed_name, id, tenant_id, status, origin, revision, "
              "created_at) VALUES ('acme.example', 'example.acme.', :id, :owner, 0, 0, 0, 0)")
            .bind(":id", DomainId::make())
            .bind(":owner", id)
            .run();
        sql::TenantScope scope(tx, id);
        const auto account =
            add_account(scope, {AccountId::make(), address("user@acme.example"), "User", {}});
        if (!account) return std::unexpected(account.error());
        return {};
      }));
}

}  // namespace

TEST_CASE("removed_tenant_leaves_no_row_and_others_keep_theirs", "[people]") {
  PeopleWorld world;
  const auto person = world.person("ann@x.example");
  const auto gone = world.tenant("gone").id;
  const auto kept = world.tenant("kept").id;
  fill(world, gone, person);
  fill(world, kept, person);
  const auto before = rows_of(world, kept);
  for (const auto* table :
       {"members", "roles", "api_keys", "api_key_usage", "connections", "outbound_hosts",
        "memberships", "one_time_tokens", "api_key_digests", "connections_by_grantee"}) {
    INFO(table);
    CHECK(before.at(table) == 1);
  }
  CHECK(rows_of(world, gone) == before);
  must(world.change([gone](sql::Transaction& tx) { return remove_tenant(tx, gone); }));
  for (const auto& [table, rows] : rows_of(world, gone)) {
    INFO(table);
    CHECK(rows == 0);
  }
  CHECK(rows_of(world, kept) == before);
  CHECK(world.read(person).email == "ann@x.example");
  check_error(world.by_secret("key of " + gone.text()), Errc::not_found);
  CHECK(world.by_secret("key of " + kept.text()));
}

TEST_CASE("database_of_the_first_release_gets_the_new_tables_beside_its_rows", "[people]") {
  postern::test::TempDirectory directory;
  const auto path = directory.file("control.db");
  const auto id = TenantId::make();
  fill_first_release(*open_first_release(path), id);

  auto control = open_control(path);
  Registry registry(*control);
  const auto change = [&](auto f) {
    using T = typename std::invoke_result_t<decltype(f), sql::Transaction&>::value_type;
    return must(registry.change_blocking<T>(f));
  };
  CHECK(change([](sql::Transaction& tx) {
          return locate_account(tx, address("user@acme.example"));
        }).display_name == "User");
  const auto ann = PersonId::make();
  change([ann](sql::Transaction& tx) {
    NewPerson fresh;
    fresh.id = ann;
    fresh.email = "ann@x.example";
    return add_person(tx, fresh);
  });
  const Narrowing narrowing{{"acme.example"}, {"user@acme.example"}};
  CHECK(change([&](sql::Transaction& tx) {
          sql::TenantScope scope(tx, id);
          return add_member(scope, {ann, "editor", narrowing, "", {}});
        }).narrowing.domains == narrowing.domains);
}
