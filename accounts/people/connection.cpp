#include "accounts/people/connection.hpp"

#include <fmt/format.h>

#include "accounts/names.hpp"
#include "accounts/people/stored.hpp"
#include "accounts/tenants.hpp"

namespace postern::accounts {

namespace {

#define CONNECTION_COLUMNS \
  "id, grantee, permissions, reason, granted_by, created_at, expires_at, revoked_at"

constexpr std::size_t kPage = 100;

Connection read_connection(const sql::Statement& row) {
  Connection connection;
  connection.id = row.id<ConnectionId>(0);
  connection.grantee = row.text(1);
  connection.permissions = read_permissions(row.text(2));
  connection.reason = row.text(3);
  connection.granted_by = row.text(4);
  connection.created = row.time(5);
  connection.expires = row.time(6);
  connection.revoked = optional_time(row, 7);
  return connection;
}

std::vector<Connection> read_all(sql::Statement& rows) {
  std::vector<Connection> connections;
  while (rows.step()) connections.push_back(read_connection(rows));
  return connections;
}

Result<void> check_terms(const Connection& fresh) {
  if (fresh.expires <= fresh.created || fresh.expires > fresh.created + kMaxConnectionTime) {
    return fail(Errc::invalid,
                fmt::format("a connection lasts at most {} hours", kMaxConnectionTime.count()));
  }
  if (fresh.reason.empty()) return fail(Errc::invalid, "a connection has a reason");
  if (auto good = check_text("a reason", fresh.reason, kMaxReason); !good) return good;
  return check_text("the granter's name", fresh.granted_by, kMaxMadeBy);
}

void erase_connection(sql::Transaction& tx, TenantId tenant, const Connection& connection) {
  sql::TenantScope scope(tx, tenant);
  scope.prepare("DELETE FROM connections WHERE tenant_id = :tenant AND id = :id")
      .bind(":id", connection.id)
      .run();
  tx.prepare(
        "DELETE FROM connections_by_grantee WHERE grantee = :grantee AND tenant_id = :owner "
        "AND id = :id")
      .bind_text(":grantee", connection.grantee)
      .bind(":owner", tenant)
      .bind(":id", connection.id)
      .run();
}

/// Old ended ones go, and the oldest of too many: there are never more rows than twice the bound.
Result<void> make_room(sql::TenantScope& scope, Timestamp now) {
  if (auto held = hold_tenant(scope.transaction(), scope.tenant()); !held) return held;
  const auto all = list_connections(scope, {}, 2 * kMaxConnections);
  std::size_t running = 0;
  for (const auto& connection : all) running += connection.runs(now) ? 1 : 0;
  if (running >= kMaxConnections) {
    return fail(
        Errc::too_large,
        fmt::format("a tenant has at most {} connections: revoke one first", kMaxConnections));
  }
  auto ended = all.size() - running;
  for (const auto& connection : all) {
    if (connection.runs(now)) continue;
    const auto end = connection.revoked.value_or(connection.expires);
    if (ended < kMaxConnections && end > now - kEndedKept) continue;
    erase_connection(scope.transaction(), scope.tenant(), connection);
    --ended;
  }
  return {};
}

void insert_connection(sql::TenantScope& scope, const Connection& connection,
                       std::string_view permissions) {
  scope
      .prepare(
          "INSERT INTO connections (tenant_id, id, grantee, permissions, reason, "
          "granted_by, created_at, expires_at) VALUES (:tenant, :id, :grantee, :permissions, "
          ":reason, :by, :created, :expires)")
      .bind(":id", connection.id)
      .bind_text(":grantee", connection.grantee)
      .bind_text(":permissions", permissions)
      .bind_text(":reason", connection.reason)
      .bind_text(":by", connection.granted_by)
      .bind(":created", connection.created)
      .bind(":expires", connection.expires)
      .run();
  scope.transaction()
      .prepare(
          "INSERT INTO connections_by_grantee (grantee, tenant_id, id) "
          "VALUES (:grantee, :owner, :id)")
      .bind_text(":grantee", connection.grantee)
      .bind(":owner", scope.tenant())
      .bind(":id", connection.id)
      .run();
}

}  // namespace

Result<Connection> add_connection(sql::TenantScope& scope, const Connection& fresh) {
  const auto permissions = permissions_text(fresh.permissions);
  if (!permissions) return std::unexpected(permissions.error());
  if (auto good = check_terms(fresh); !good) return std::unexpected(std::move(good.error()));
  const auto grantee = parse_address(fresh.grantee);
  if (!grantee) return std::unexpected(grantee.error());
  if (auto room = make_room(scope, fresh.created); !room)
    return std::unexpected(std::move(room.error()));
  auto connection = fresh;
  connection.grantee = grantee->text();
  connection.revoked.reset();
  insert_connection(scope, connection, *permissions);
  return connection;
}

Result<Connection> find_connection(sql::TenantScope& scope, ConnectionId id) {
  auto row = scope.prepare("SELECT " CONNECTION_COLUMNS
                           " FROM connections WHERE tenant_id = :tenant AND id = :id");
  row.bind(":id", id);
  if (!row.step()) return fail(Errc::not_found, "no such connection");
  return read_connection(row);
}

std::vector<Connection> list_connections(sql::TenantScope& scope, ConnectionId after,
                                         std::size_t limit) {
  auto rows = scope.prepare("SELECT " CONNECTION_COLUMNS
                            " FROM connections WHERE tenant_id = :tenant AND id > :after "
                            "ORDER BY id LIMIT :limit");
  rows.bind(":after", after).bind(":limit", as_integer(limit));
  return read_all(rows);
}

Result<Connection> open_connection(sql::TenantScope& scope, ConnectionId id,
                                   std::string_view grantee, Timestamp now) {
  auto connection = find_connection(scope, id);
  if (!connection) return connection;
  if (connection->grantee != grantee) return fail(Errc::not_found, "no such connection");
  if (!connection->runs(now)) return fail(Errc::denied, "the connection has ended");
  return connection;
}

Result<void> revoke_connection(sql::TenantScope& scope, ConnectionId id, Timestamp now) {
  scope
      .prepare(
          "UPDATE connections SET revoked_at = :now WHERE tenant_id = :tenant AND id = :id "
          "AND revoked_at IS NULL")
      .bind(":now", now)
      .bind(":id", id)
      .run();
  if (scope.changes() == 0) {
    return fail(Errc::not_found, "no such connection, or it is revoked already");
  }
  return {};
}

std::vector<ConnectionPlace> list_connections_of(sql::Transaction& tx, std::string_view grantee,
                                                 const ConnectionPlace& after, std::size_t limit) {
  auto rows = tx.prepare(
      "SELECT tenant_id, id FROM connections_by_grantee WHERE grantee = :grantee "
      "AND tenant_id >= :tenant_after AND (tenant_id > :tenant_after OR id > :id) "
      "ORDER BY tenant_id, id LIMIT :limit");
  rows.bind_text(":grantee", grantee)
      .bind(":tenant_after", after.tenant)
      .bind(":id", after.id)
      .bind(":limit", as_integer(limit));
  std::vector<ConnectionPlace> places;
  while (rows.step()) places.push_back({rows.id<TenantId>(0), rows.id<ConnectionId>(1)});
  return places;
}

bool has_connections(sql::Transaction& tx, std::string_view email) {
  const auto address = parse_address(email);
  return address && !list_connections_of(tx, address->text(), {}, 1).empty();
}

void remove_connections_of(sql::Transaction& tx, std::string_view grantee) {
  for (auto places = list_connections_of(tx, grantee, {}, kPage); !places.empty();
       places = list_connections_of(tx, grantee, {}, kPage)) {
    for (const auto& place : places) {
      Connection connection;
      connection.id = place.id;
      connection.grantee = grantee;
      erase_connection(tx, place.tenant, connection);
    }
  }
}

#undef CONNECTION_COLUMNS

}  // namespace postern::accounts
