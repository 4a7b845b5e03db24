#include "accounts/aliases.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "accounts/account.hpp"
#include "accounts/domains.hpp"
#include "accounts/resolve.hpp"

namespace postern::accounts {

namespace {

using Names = std::vector<Address>;

/// The aliases that lead straight to a name.
Names alias_sources(sql::TenantScope& scope, const Address& target) {
  auto rows = scope.prepare(
      "SELECT local_part, domain FROM aliases WHERE tenant_id = :tenant "
      "AND target_domain = :domain AND target_local_part = :local");
  rows.bind_text(":domain", target.domain).bind_text(":local", target.local);
  Names names;
  while (rows.step()) names.push_back({std::string(rows.text(0)), std::string(rows.text(1))});
  return names;
}

/// The longest way from a name, in steps. Each name is measured once; one that is met again while
/// it is being measured (a loop in the table, which add_alias doesn't make) counts nothing.
int longest_way(sql::TenantScope& scope, const Address& name,
                Names (*next)(sql::TenantScope&, const Address&), std::map<Address, int>& known) {
  if (const auto [at, fresh] = known.try_emplace(name, 0); !fresh) return at->second;
  int longest = 0;
  for (const auto& step : next(scope, name)) {
    longest = std::max(longest, 1 + longest_way(scope, step, next, known));
  }
  return known[name] = longest;
}

Names targets_of(sql::TenantScope& scope, const Address& name) {
  return alias_targets(scope, name);
}

Result<void> demand_name(sql::TenantScope& scope, const Address& target) {
  if (find_account(scope, target) || !alias_targets(scope, target).empty()) return {};
  return fail(Errc::not_found, fmt::format("{} is neither an account nor an alias of this tenant; "
                                           "forwarding to other hosts is not offered",
                                           target.text()));
}

Result<void> check_target(sql::TenantScope& scope, const Address& alias, const Address& target) {
  if (target == alias) return fail(Errc::invalid, "an alias can't lead to itself");
  if (auto known = demand_name(scope, target); !known) return known;
  std::map<Address, int> below;
  std::map<Address, int> above;
  const int steps = longest_way(scope, alias, alias_sources, above) + 1 +
                    longest_way(scope, target, targets_of, below);
  if (below.contains(alias)) {
    return fail(Errc::invalid, fmt::format("{} leads back to {}", target.text(), alias.text()));
  }
  if (steps > kAliasDepth) {
    return fail(Errc::invalid,
                fmt::format("the chain of aliases would be longer than {}", kAliasDepth));
  }
  return {};
}

void insert_target(sql::TenantScope& scope, const Address& alias, const Address& target) {
  scope
      .prepare(
          "INSERT INTO aliases (tenant_id, domain, local_part, target_domain, target_local_part) "
          "VALUES (:tenant, :domain, :local, :target_domain, :target_local) "
          "ON CONFLICT (tenant_id, domain, local_part, target_domain, target_local_part) DO "
          "NOTHING")
      .bind_text(":domain", alias.domain)
      .bind_text(":local", alias.local)
      .bind_text(":target_domain", target.domain)
      .bind_text(":target_local", target.local)
      .run();
}

Result<void> check_address(sql::TenantScope& scope, const Address& address) {
  if (address.local.find(kDetailSeparator) != std::string::npos) {
    return fail(Errc::invalid, "an alias can't hold '+': it separates the detail of a sub-address");
  }
  if (auto held = hold_domain(scope, address.domain); !held) return held;
  if (find_account(scope, address)) {
    return fail(Errc::exists, fmt::format("{} is an account", address.text()));
  }
  return {};
}

}  // namespace

std::vector<Address> alias_targets(sql::TenantScope& scope, const Address& address) {
  auto rows = scope.prepare(
      "SELECT target_local_part, target_domain FROM aliases WHERE tenant_id = :tenant "
      "AND domain = :domain AND local_part = :local "
      "ORDER BY target_domain, target_local_part LIMIT :limit");
  rows.bind_text(":domain", address.domain)
      .bind_text(":local", address.local)
      .bind(":limit", static_cast<std::int64_t>(kMaxAliasTargets));
  std::vector<Address> targets;
  while (rows.step()) targets.push_back({std::string(rows.text(0)), std::string(rows.text(1))});
  return targets;
}

Result<Alias> add_alias(sql::TenantScope& scope, const Address& address,
                        const std::vector<Address>& targets) {
  if (targets.empty()) return fail(Errc::invalid, "an alias needs at least one target");
  if (auto good = check_address(scope, address); !good)
    return std::unexpected(std::move(good.error()));
  if (alias_targets(scope, address).size() + targets.size() > kMaxAliasTargets) {
    return fail(Errc::too_large, fmt::format("an alias has at most {} targets", kMaxAliasTargets));
  }
  for (const auto& target : targets) {
    if (auto good = check_target(scope, address, target); !good) {
      return std::unexpected(std::move(good.error()));
    }
    insert_target(scope, address, target);
  }
  return Alias{address, alias_targets(scope, address)};
}

Result<Alias> find_alias(sql::TenantScope& scope, const Address& address) {
  auto targets = alias_targets(scope, address);
  if (targets.empty())
    return fail(Errc::not_found, fmt::format("no alias is named {}", address.text()));
  return Alias{address, std::move(targets)};
}

std::vector<Alias> list_aliases(sql::TenantScope& scope, const Address& after, std::size_t limit) {
  std::vector<Address> names;
  {
    auto rows = scope.prepare(
        "SELECT DISTINCT local_part, domain FROM aliases WHERE tenant_id = :tenant "
        "AND domain >= :domain AND (domain > :domain OR local_part > :local) "
        "ORDER BY domain, local_part LIMIT :limit");
    rows.bind_text(":domain", after.domain)
        .bind_text(":local", after.local)
        .bind(":limit", static_cast<std::int64_t>(limit));
    while (rows.step()) names.push_back({std::string(rows.text(0)), std::string(rows.text(1))});
  }
  std::vector<Alias> aliases;
  aliases.reserve(names.size());
  for (const auto& name : names) aliases.push_back({name, alias_targets(scope, name)});
  return aliases;
}

Result<void> remove_alias_target(sql::TenantScope& scope, const Address& address,
                                 const Address& target) {
  scope
      .prepare(
          "DELETE FROM aliases WHERE tenant_id = :tenant AND domain = :domain AND local_part = "
          ":local "
          "AND target_domain = :target_domain AND target_local_part = :target_local")
      .bind_text(":domain", address.domain)
      .bind_text(":local", address.local)
      .bind_text(":target_domain", target.domain)
      .bind_text(":target_local", target.local)
      .run();
  if (scope.changes() == 0) {
    return fail(Errc::not_found,
                fmt::format("{} doesn't lead to {}", address.text(), target.text()));
  }
  return {};
}

Result<void> remove_alias(sql::TenantScope& scope, const Address& address) {
  scope
      .prepare(
          "DELETE FROM aliases WHERE tenant_id = :tenant AND domain = :domain AND local_part = "
          ":local")
      .bind_text(":domain", address.domain)
      .bind_text(":local", address.local)
      .run();
  if (scope.changes() == 0)
    return fail(Errc::not_found, fmt::format("no alias is named {}", address.text()));
  return {};
}

Result<void> set_catch_all(sql::TenantScope& scope, std::string_view domain,
                           const Address& target) {
  const auto name = parse_domain(domain);
  if (!name) return std::unexpected(name.error());
  if (auto held = hold_domain(scope, *name); !held) return held;
  if (auto known = demand_name(scope, target); !known) return known;
  scope
      .prepare(
          "INSERT INTO catch_alls (tenant_id, domain, target_domain, target_local_part) "
          "VALUES (:tenant, :domain, :target_domain, :target_local) "
          "ON CONFLICT (tenant_id, domain) DO UPDATE SET target_domain = :target_domain, "
          "target_local_part = :target_local")
      .bind_text(":domain", *name)
      .bind_text(":target_domain", target.domain)
      .bind_text(":target_local", target.local)
      .run();
  return {};
}

Result<void> remove_catch_all(sql::TenantScope& scope, std::string_view domain) {
  const auto name = parse_domain(domain);
  if (!name) return std::unexpected(name.error());
  scope.prepare("DELETE FROM catch_alls WHERE tenant_id = :tenant AND domain = :domain")
      .bind_text(":domain", *name)
      .run();
  if (scope.changes() == 0) return fail(Errc::not_found, fmt::format("{} has no catch-all", *name));
  return {};
}

std::optional<Address> find_catch_all(sql::TenantScope& scope, std::string_view domain) {
  auto row = scope.prepare(
      "SELECT target_local_part, target_domain FROM catch_alls "
      "WHERE tenant_id = :tenant AND domain = :domain");
  row.bind_text(":domain", domain);
  if (!row.step()) return std::nullopt;
  return Address{std::string(row.text(0)), std::string(row.text(1))};
}

}  // namespace postern::accounts
