#include "accounts/domains.hpp"

#include <fmt/format.h>
#include <libpsl.h>

#include <optional>

#include "accounts/names.hpp"
#include "accounts/people/narrowing.hpp"

namespace postern::accounts {

namespace {

#define DOMAIN_COLUMNS "id, tenant_id, name, status, origin, created_at, challenge"

Domain read_domain(const sql::Statement& row) {
  return {row.id<DomainId>(0),
          row.id<TenantId>(1),
          std::string(row.text(2)),
          static_cast<Status>(row.integer(3)),
          static_cast<DomainOrigin>(row.integer(4)),
          row.time(5),
          std::string(row.text(6))};
}

std::vector<Domain> read_all(sql::Statement& rows) {
  std::vector<Domain> domains;
  while (rows.step()) domains.push_back(read_domain(rows));
  return domains;
}

std::optional<Domain> find_exact(sql::Transaction& tx, std::string_view name) {
  auto row = tx.prepare("SELECT " DOMAIN_COLUMNS " FROM domains WHERE name = :name");
  row.bind_text(":name", name);
  if (!row.step()) return std::nullopt;
  return read_domain(row);
}

/// "co.uk": a registry's, nobody's mail domain. Private suffixes (github.io) are their owner's.
bool is_public_suffix(const std::string& name) {
  const auto* list = psl_builtin();
  return list != nullptr &&
         psl_is_public_suffix2(list, name.c_str(), PSL_TYPE_ICANN | PSL_TYPE_NO_STAR_RULE) != 0;
}

Result<void> refuse_under_other(sql::Transaction& tx, const NewDomain& fresh,
                                std::string_view name) {
  for (auto dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.', dot + 1)) {
    const auto parent = find_exact(tx, name.substr(dot + 1));
    if (parent && parent->tenant != fresh.tenant) {
      return fail(Errc::denied,
                  fmt::format("{} lies under {}, which is another tenant's", name, parent->name));
    }
  }
  return {};
}

Result<void> refuse_over_other(sql::Transaction& tx, const NewDomain& fresh,
                               std::string_view name) {
  // Reversed names of everything below begin with this one's; '/' is the character after '.'.
  const auto from = reversed_name(name);
  auto to = from;
  to.back() = '/';
  auto row = tx.prepare(
      "SELECT name FROM domains WHERE reversed_name > :from AND reversed_name < :to "
      "AND tenant_id <> :mine ORDER BY reversed_name LIMIT 1");
  row.bind_text(":from", from).bind_text(":to", to).bind(":mine", fresh.tenant);
  if (row.step()) {
    return fail(Errc::denied,
                fmt::format("{} lies over {}, which is another tenant's", name, row.text(0)));
  }
  return {};
}

/// Holds the rows that decide: no other domain and no end of this tenant meanwhile.
Result<void> hold_guards(sql::Transaction& tx, TenantId tenant) {
  tx.prepare("UPDATE guards SET revision = revision + 1 WHERE name = 'domains'").run();
  tx.prepare("UPDATE tenants SET revision = revision + 1 WHERE id = :id").bind(":id", tenant).run();
  if (tx.changes() == 0) return fail(Errc::not_found, "no such tenant");
  return {};
}

bool has_rows(sql::Statement& statement, std::string_view domain) {
  return statement.bind_text(":domain", domain).step();
}

Result<void> refuse_inhabited(sql::TenantScope& scope, const std::string& name) {
  auto account = scope.prepare(
      "SELECT local_part FROM accounts WHERE tenant_id = :tenant AND domain = :domain LIMIT 1");
  if (has_rows(account, name)) {
    return fail(Errc::denied, fmt::format("remove the accounts of {} first", name));
  }
  auto alias = scope.prepare(
      "SELECT local_part FROM aliases WHERE tenant_id = :tenant AND domain = :domain LIMIT 1");
  if (has_rows(alias, name)) {
    return fail(Errc::denied, fmt::format("remove the aliases of {} first", name));
  }
  return {};
}

}  // namespace

Result<Domain> add_domain(sql::Transaction& tx, const NewDomain& fresh) {
  auto name = parse_domain(fresh.name);
  if (!name) return std::unexpected(std::move(name.error()));
  if (is_public_suffix(*name)) {
    return fail(Errc::invalid,
                fmt::format("{} is a public suffix, under which others register names", *name));
  }
  if (auto held = hold_guards(tx, fresh.tenant); !held)
    return std::unexpected(std::move(held.error()));
  if (find_exact(tx, *name))
    return fail(Errc::exists, fmt::format("{} is hosted here already", *name));
  if (auto free = refuse_under_other(tx, fresh, *name); !free)
    return std::unexpected(std::move(free.error()));
  if (auto free = refuse_over_other(tx, fresh, *name); !free)
    return std::unexpected(std::move(free.error()));
  tx.prepare(
        "INSERT INTO domains (name, reversed_name, id, tenant_id, status, origin, revision, "
        "created_at, challenge) "
        "VALUES (:name, :reversed, :id, :owner, 0, :origin, 0, :created, :challenge)")
      .bind_text(":name", *name)
      .bind_text(":reversed", reversed_name(*name))
      .bind(":id", fresh.id)
      .bind(":owner", fresh.tenant)
      .bind(":origin", static_cast<int>(fresh.origin))
      .bind(":created", fresh.created)
      .bind_text(":challenge", fresh.challenge)
      .run();
  return Domain{fresh.id,     fresh.tenant,  *name,          Status::active,
                fresh.origin, fresh.created, fresh.challenge};
}

Result<Domain> find_domain(sql::Transaction& tx, std::string_view name) {
  const auto parsed = parse_domain(name);
  if (!parsed) return std::unexpected(parsed.error());
  auto domain = find_exact(tx, *parsed);
  if (!domain) return fail(Errc::not_found, fmt::format("{} is not hosted here", *parsed));
  return *domain;
}

Result<Domain> find_proved_domain(sql::Transaction& tx, std::string_view name) {
  auto domain = find_domain(tx, name);
  if (domain && domain->pending())
    return fail(Errc::not_found, fmt::format("{} is not hosted here", domain->name));
  return domain;
}

Result<void> prove_domain(sql::Transaction& tx, std::string_view name) {
  const auto domain = find_domain(tx, name);
  if (!domain) return std::unexpected(domain.error());
  tx.prepare("UPDATE domains SET challenge = '' WHERE name = :name")
      .bind_text(":name", domain->name)
      .run();
  return {};
}

std::size_t drop_unproved_domains(sql::Transaction& tx, Timestamp before) {
  std::vector<Domain> stale;
  {
    auto rows = tx.prepare("SELECT " DOMAIN_COLUMNS
                           " FROM domains WHERE challenge <> '' AND created_at < :before");
    rows.bind(":before", before);
    stale = read_all(rows);
  }
  std::size_t dropped = 0;
  for (const auto& domain : stale) {
    // What somebody lives in stays, and stays unrouted.
    if (remove_domain(tx, domain.name)) ++dropped;
  }
  return dropped;
}

std::vector<Domain> list_domains(sql::Transaction& tx, std::string_view after, std::size_t limit) {
  auto rows = tx.prepare("SELECT " DOMAIN_COLUMNS
                         " FROM domains WHERE name > :after ORDER BY name LIMIT :limit");
  rows.bind_text(":after", after).bind(":limit", static_cast<std::int64_t>(limit));
  return read_all(rows);
}

std::vector<Domain> list_domains(sql::Transaction& tx, TenantId tenant, std::string_view after,
                                 std::size_t limit) {
  auto rows = tx.prepare(
      "SELECT " DOMAIN_COLUMNS
      " FROM domains WHERE tenant_id = :owner AND name > :after ORDER BY name LIMIT :limit");
  rows.bind(":owner", tenant)
      .bind_text(":after", after)
      .bind(":limit", static_cast<std::int64_t>(limit));
  return read_all(rows);
}

std::vector<Domain> list_domains_to_check(sql::Transaction& tx, Timestamp now, Micros check_every,
                                          std::size_t limit) {
  // Further away than any look is put: the clock, or the setting, has changed since.
  auto rows = tx.prepare("SELECT " DOMAIN_COLUMNS
                         " FROM domains WHERE (check_at <= :now OR check_at > :latest) "
                         "AND challenge = '' AND status = 0 "
                         "AND tenant_id IN (SELECT id FROM tenants WHERE status = 0) "
                         "ORDER BY check_at LIMIT :limit");
  rows.bind(":now", now)
      .bind(":latest", now + check_every)
      .bind(":limit", static_cast<std::int64_t>(limit));
  return read_all(rows);
}

Result<void> set_domain_status(sql::Transaction& tx, std::string_view name, Status status) {
  const auto domain = find_domain(tx, name);
  if (!domain) return std::unexpected(domain.error());
  tx.prepare("UPDATE domains SET status = :status WHERE name = :name")
      .bind_text(":name", domain->name)
      .bind(":status", static_cast<int>(status))
      .run();
  return {};
}

Result<void> remove_domain(sql::Transaction& tx, std::string_view name) {
  const auto parsed = parse_domain(name);
  if (!parsed) return std::unexpected(parsed.error());
  // Updated first: no account or alias can be added meanwhile (see hold_domain).
  tx.prepare("UPDATE domains SET revision = revision + 1 WHERE name = :name")
      .bind_text(":name", *parsed)
      .run();
  const auto domain = find_domain(tx, *parsed);
  if (!domain) return std::unexpected(domain.error());
  sql::TenantScope scope(tx, domain->tenant);
  if (auto empty = refuse_inhabited(scope, domain->name); !empty) return empty;
  for (const std::string_view text :
       {std::string_view("DELETE FROM signing_keys WHERE tenant_id = :tenant AND domain = :domain"),
        std::string_view("DELETE FROM catch_alls WHERE tenant_id = :tenant AND domain = :domain"),
        std::string_view(
            "DELETE FROM domain_records WHERE tenant_id = :tenant AND domain = :domain"),
        std::string_view(
            "DELETE FROM sender_grants WHERE tenant_id = :tenant AND domain = :domain")}) {
    scope.prepare(text).bind_text(":domain", domain->name).run();
  }
  if (auto narrowed = forget_domain(scope, domain->name); !narrowed) return narrowed;
  tx.prepare("DELETE FROM domains WHERE name = :name").bind_text(":name", domain->name).run();
  return {};
}

Result<void> hold_domain(sql::TenantScope& scope, std::string_view name) {
  scope.transaction()
      .prepare(
          "UPDATE domains SET revision = revision + 1 WHERE name = :name AND tenant_id = :owner")
      .bind_text(":name", name)
      .bind(":owner", scope.tenant())
      .run();
  if (scope.changes() == 0) {
    return fail(Errc::not_found, fmt::format("{} is not a domain of this tenant", name));
  }
  return {};
}

#undef DOMAIN_COLUMNS

}  // namespace postern::accounts
