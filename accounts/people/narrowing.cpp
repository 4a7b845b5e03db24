#include "accounts/people/narrowing.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "accounts/account.hpp"
#include "accounts/domains.hpp"
#include "accounts/people/stored.hpp"

namespace postern::accounts {

namespace {

/// The narrowings of one table, by whatever its rows are named.
struct Texts {
  std::string_view select;
  std::string_view update;
};
constexpr Texts kTables[] = {
    {"SELECT person_id, narrowed_domains, narrowed_accounts FROM members WHERE tenant_id = :tenant "
     "AND (narrowed_domains <> '' OR narrowed_accounts <> '')",
     "UPDATE members SET narrowed_domains = :domains, narrowed_accounts = :accounts "
     "WHERE tenant_id = :tenant AND person_id = :id"},
    {"SELECT id, narrowed_domains, narrowed_accounts FROM api_keys WHERE tenant_id = :tenant "
     "AND (narrowed_domains <> '' OR narrowed_accounts <> '')",
     "UPDATE api_keys SET narrowed_domains = :domains, narrowed_accounts = :accounts "
     "WHERE tenant_id = :tenant AND id = :id"},
};

using Names = std::vector<std::string>;

void tidy(Names& names) {
  std::ranges::sort(names);
  const auto repeats = std::ranges::unique(names);
  names.erase(repeats.begin(), repeats.end());
}

Result<Names> check_domains(sql::TenantScope& scope, const Names& wanted) {
  Names names;
  names.reserve(wanted.size());
  for (const auto& text : wanted) {
    if (text == kReachesNothing) continue;
    auto name = parse_domain(text);
    if (!name) return std::unexpected(std::move(name.error()));
    if (auto held = hold_domain(scope, *name); !held)
      return std::unexpected(std::move(held.error()));
    names.push_back(std::move(*name));
  }
  return names;
}

Result<Names> check_accounts(sql::TenantScope& scope, const Names& wanted) {
  Names names;
  names.reserve(wanted.size());
  for (const auto& text : wanted) {
    const auto address = parse_address(text);
    if (!address) return std::unexpected(address.error());
    const auto account = find_account(scope, *address);
    if (!account) return std::unexpected(account.error());
    if (auto held = hold_account(scope, account->id); !held)
      return std::unexpected(std::move(held.error()));
    names.push_back(account->address.text());
  }
  return names;
}

/// Takes the name out of one of the lists; true when it was there.
bool take_out(Narrowing& narrowing, Names Narrowing::* list, std::string_view name) {
  if (std::erase(narrowing.*list, name) == 0) return false;
  if (narrowing.none()) narrowing.domains.emplace_back(kReachesNothing);
  return true;
}

void forget(sql::TenantScope& scope, const Texts& texts, Names Narrowing::* list,
            std::string_view name) {
  std::vector<std::pair<std::string, Narrowing>> changed;
  {
    auto rows = scope.prepare(texts.select);
    while (rows.step()) {
      auto narrowing = read_narrowing(rows.text(1), rows.text(2));
      if (take_out(narrowing, list, name)) {
        changed.emplace_back(std::string(rows.blob(0)), std::move(narrowing));
      }
    }
  }
  for (const auto& [id, narrowing] : changed) {
    scope.prepare(texts.update)
        .bind_blob(":id", id)
        .bind_text(":domains", join_lines(narrowing.domains))
        .bind_text(":accounts", join_lines(narrowing.accounts))
        .run();
  }
}

Result<void> forget_everywhere(sql::TenantScope& scope, Names Narrowing::* list,
                               std::string_view name) {
  // Every change of a narrowing holds the tenant: none is read here before and written after.
  if (auto held = hold_tenant(scope.transaction(), scope.tenant()); !held) return held;
  for (const auto& texts : kTables) forget(scope, texts, list, name);
  return {};
}

}  // namespace

Result<Narrowing> check_narrowing(sql::TenantScope& scope, const Narrowing& wanted) {
  if (wanted.domains.size() + wanted.accounts.size() > kMaxNarrowed) {
    return fail(Errc::too_large, fmt::format("a narrowing has at most {} names", kMaxNarrowed));
  }
  auto domains = check_domains(scope, wanted.domains);
  if (!domains) return std::unexpected(std::move(domains.error()));
  auto accounts = check_accounts(scope, wanted.accounts);
  if (!accounts) return std::unexpected(std::move(accounts.error()));
  Narrowing narrowing{std::move(*domains), std::move(*accounts)};
  tidy(narrowing.domains);
  tidy(narrowing.accounts);
  // Only kReachesNothing was given: as it stood.
  if (narrowing.none() && !wanted.none()) narrowing.domains.emplace_back(kReachesNothing);
  return narrowing;
}

Narrowing read_narrowing(std::string_view domains, std::string_view accounts) {
  return {split_lines(domains), split_lines(accounts)};
}

bool reaches_nothing(const Narrowing& narrowing) {
  return narrowing.accounts.empty() && narrowing.domains.size() == 1 &&
         narrowing.domains.front() == kReachesNothing;
}

Result<void> forget_domain(sql::TenantScope& scope, std::string_view name) {
  return forget_everywhere(scope, &Narrowing::domains, name);
}

Result<void> forget_account(sql::TenantScope& scope, std::string_view address) {
  return forget_everywhere(scope, &Narrowing::accounts, address);
}

}  // namespace postern::accounts
