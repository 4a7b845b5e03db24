// Connections of before were given to people; they are the same people's by their address after.
#include "accounts/schema.hpp"
#include "storage/database.hpp"
#include "tests/accounts/people/people.hpp"

using namespace postern;
using namespace postern::accounts;
using namespace postern::accounts::test;

namespace {

constexpr std::size_t kBefore = 2;  // migrations that made the tables as they were

std::unique_ptr<storage::Database> open(const std::string& path, std::size_t migrations) {
  auto known = schema();
  known.migrations = known.migrations.first(migrations);
  if (migrations == kBefore) {
    static constexpr auto kPlatform = std::to_array<std::string_view>(
        {"guards", "tenants", "domains", "people", "recovery_codes", "passkeys", "memberships",
         "web_sessions", "one_time_tokens", "api_key_digests", "connections_by_person"});
    static constexpr auto kTenant = std::to_array<std::string_view>(
        {"accounts", "aliases", "catch_alls", "sender_grants", "credentials", "signing_keys",
         "members", "roles", "api_keys", "api_key_usage", "connections"});
    known.platform_tables = kPlatform;
    known.tenant_tables = kTenant;
  }
  storage::Database::Options options;
  options.path = path;
  options.schemas = {known};
  return must(storage::Database::open(std::move(options)));
}

void give(sql::Transaction& tx, TenantId tenant, ConnectionId id, PersonId person) {
  sql::TenantScope scope(tx, tenant);
  scope
      .prepare(
          "INSERT INTO connections (tenant_id, id, grantee_person, permissions, reason, "
          "granted_by, created_at, expires_at) VALUES (:tenant, :id, :person, 'domain.read', "
          "'help', 'owner', 0, 1000)")
      .bind(":id", id)
      .bind(":person", person)
      .run();
  tx.prepare(
        "INSERT INTO connections_by_person (person_id, tenant_id, id) VALUES (:person, :owner, "
        ":id)")
      .bind(":person", person)
      .bind(":owner", tenant)
      .bind(":id", id)
      .run();
}

}  // namespace

TEST_CASE("connections_of_before_are_kept_by_their_persons_address", "[people]") {
  postern::test::TempDirectory directory;
  const auto path = directory.file("control.db");
  const auto tenant = TenantId::make();
  const auto ann = PersonId::make();
  const auto id = ConnectionId::make();
  {
    auto file = open(path, kBefore);
    must(file->write_blocking<void>(storage::Purpose::intake,
                                    [&](sql::Transaction& tx) -> Result<void> {
                                      NewPerson person;
                                      person.id = ann;
                                      person.email = "ann@agency.example";
                                      auto added = add_person(tx, person);
                                      if (!added) return std::unexpected(added.error());
                                      give(tx, tenant, id, ann);
                                      return {};
                                    }));
  }
  auto file = open(path, schema().migrations.size());
  const auto found =
      must(file->read_blocking<Connection>([&](sql::Transaction& tx) -> Result<Connection> {
        CHECK(has_connections(tx, "ann@agency.example"));
        sql::TenantScope scope(tx, tenant);
        return open_connection(scope, id, "ann@agency.example", Timestamp{});
      }));
  CHECK(found.grantee == "ann@agency.example");
  CHECK(found.permissions == permissions("domain.read"));
}
