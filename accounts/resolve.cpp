#include "accounts/resolve.hpp"

#include <set>

#include "accounts/account.hpp"
#include "accounts/aliases.hpp"
#include "accounts/domains.hpp"

namespace postern::accounts {

namespace {

/// One resolution while it is worked out.
struct Walk {
  sql::TenantScope scope;
  Tenant tenant;
  bool keep_suspended;  ///< mail for postmaster reaches suspended accounts too
  std::vector<Route> routes;
  std::set<Address> seen;
  bool met_suspended = false;
  bool met_bound = false;
};

void add_route(Walk& walk, const Account& account, const std::string& detail) {
  if (account.status != Status::active && !walk.keep_suspended) {
    walk.met_suspended = true;
    return;
  }
  if (walk.routes.size() == kMaxAliasTargets) {
    walk.met_bound = true;
    return;
  }
  walk.routes.push_back(
      {walk.tenant.id, account.id, walk.tenant.shard, account.address.text(), detail});
}

/// False when no account or alias has exactly this name.
bool expand(Walk& walk, const Address& name, const std::string& detail, int depth) {
  if (!walk.seen.insert(name).second) return true;
  if (const auto account = find_account(walk.scope, name)) {
    add_route(walk, *account, detail);
    return true;
  }
  const auto targets = alias_targets(walk.scope, name);
  if (depth == kAliasDepth && !targets.empty()) {
    walk.met_bound = true;
    return true;
  }
  for (const auto& target : targets) expand(walk, target, detail, depth + 1);
  return !targets.empty();
}

bool expand_with_detail(Walk& walk, const Address& address) {
  if (expand(walk, address, "", 0)) return true;
  const auto sub = split_detail(address.local);
  return sub.base != address.local && expand(walk, {sub.base, address.domain}, sub.detail, 0);
}

/// True when the owner's account is there to take it.
bool route_to_owner(Walk& walk) {
  if (!walk.tenant.owner) return false;
  const auto owner = find_account(walk.scope, *walk.tenant.owner);
  if (!owner) return false;
  add_route(walk, *owner, "");
  return true;
}

Verdict verdict_of(const Walk& walk, bool role) {
  if (walk.met_bound) return Verdict::unavailable;
  if (!walk.routes.empty()) return Verdict::deliver;
  if (role) return Verdict::unavailable;
  return walk.met_suspended ? Verdict::suspended : Verdict::no_mailbox;
}

}  // namespace

bool is_role_name(std::string_view local) {
  const auto base = split_detail(local).base;
  return base == "postmaster" || base == "abuse";
}

Resolution resolve(sql::Transaction& tx, const Address& address, Breadth breadth) {
  const auto domain = find_proved_domain(tx, address.domain);
  if (!domain) return {};
  const auto tenant = find_tenant(tx, domain->tenant);
  if (!tenant) return {};
  const bool role = is_role_name(address.local);
  Resolution result{Verdict::suspended, tenant->id, {}};
  const bool active = tenant->status == Status::active && domain->status == Status::active;
  if (!active && !role) return result;

  Walk walk{sql::TenantScope(tx, tenant->id), *tenant, role, {}, {}};
  const bool named = expand_with_detail(walk, address);
  // A role whose alias leads nowhere any more is the owner's again.
  const bool owned = role && walk.routes.empty() && !walk.met_bound && route_to_owner(walk);
  if (!named && !owned && breadth == Breadth::with_catch_all) {
    if (const auto target = find_catch_all(walk.scope, address.domain))
      expand(walk, *target, "", 0);
  }
  result.verdict = verdict_of(walk, role);
  if (result.verdict == Verdict::deliver) result.routes = std::move(walk.routes);
  return result;
}

}  // namespace postern::accounts
