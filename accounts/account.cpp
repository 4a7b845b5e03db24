#include "accounts/account.hpp"

#include <fmt/format.h>

#include <charconv>

#include "accounts/domains.hpp"
#include "accounts/people/narrowing.hpp"
#include "message/email_address.hpp"
#include "storage/outbox.hpp"

namespace postern::accounts {

namespace {

#define ACCOUNT_COLUMNS "id, local_part, domain, display_name, status, created_at"

constexpr std::size_t kMaxDisplayName = 200;

Account read_account(const sql::Statement& row, TenantId tenant) {
  Account account;
  account.id = row.id<AccountId>(0);
  account.tenant = tenant;
  account.address = {std::string(row.text(1)), std::string(row.text(2))};
  account.display_name = row.text(3);
  account.status = static_cast<Status>(row.integer(4));
  account.created = row.time(5);
  return account;
}

Result<void> check_display_name(std::string_view name) {
  bool good = name.size() <= kMaxDisplayName && message::is_utf8(name);
  for (const char c : name) good = good && static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
  if (!good)
    return fail(Errc::invalid,
                "a display name is at most 200 octets of text without control characters");
  return {};
}

Result<void> check_fresh(sql::TenantScope& scope, const NewAccount& fresh) {
  if (fresh.address.local.find(kDetailSeparator) != std::string::npos) {
    return fail(Errc::invalid,
                "a mailbox's name can't hold '+': it separates the detail of a sub-address");
  }
  if (auto name = check_display_name(fresh.display_name); !name) return name;
  if (auto held = hold_domain(scope, fresh.address.domain); !held) return held;
  auto alias = scope.prepare(
      "SELECT domain FROM aliases WHERE tenant_id = :tenant AND domain = :domain "
      "AND local_part = :local LIMIT 1");
  alias.bind_text(":domain", fresh.address.domain).bind_text(":local", fresh.address.local);
  if (alias.step()) {
    return fail(Errc::exists, fmt::format("{} is an alias", fresh.address.text()));
  }
  return {};
}

void delete_leading_to(sql::TenantScope& scope, const Account& account) {
  scope
      .prepare(
          "DELETE FROM aliases WHERE tenant_id = :tenant AND target_domain = :domain "
          "AND target_local_part = :local")
      .bind_text(":domain", account.address.domain)
      .bind_text(":local", account.address.local)
      .run();
  scope
      .prepare(
          "DELETE FROM catch_alls WHERE tenant_id = :tenant AND target_domain = :domain "
          "AND target_local_part = :local")
      .bind_text(":domain", account.address.domain)
      .bind_text(":local", account.address.local)
      .run();
  scope.prepare("DELETE FROM credentials WHERE tenant_id = :tenant AND account_id = :account")
      .bind(":account", account.id)
      .run();
  scope.prepare("DELETE FROM sender_grants WHERE tenant_id = :tenant AND account_id = :account")
      .bind(":account", account.id)
      .run();
}

/// The owner goes last: someone must get the mail for postmaster.
Result<void> release_ownership(sql::TenantScope& scope, const Tenant& tenant, AccountId id) {
  if (tenant.owner != id) return {};
  auto other =
      scope.prepare("SELECT id FROM accounts WHERE tenant_id = :tenant AND id <> :id LIMIT 1");
  other.bind(":id", id);
  if (other.step()) {
    return fail(Errc::denied, "this account owns the tenant: make another one the owner first");
  }
  scope.transaction()
      .prepare("UPDATE tenants SET owner_account = NULL WHERE id = :id")
      .bind(":id", tenant.id)
      .run();
  return {};
}

}  // namespace

Result<Account> add_account(sql::TenantScope& scope, const NewAccount& fresh) {
  if (auto good = check_fresh(scope, fresh); !good) return std::unexpected(std::move(good.error()));
  try {
    scope
        .prepare(
            "INSERT INTO accounts (tenant_id, id, domain, local_part, display_name, status, "
            "revision, "
            "created_at) VALUES (:tenant, :id, :domain, :local, :name, 0, 0, :created)")
        .bind(":id", fresh.id)
        .bind_text(":domain", fresh.address.domain)
        .bind_text(":local", fresh.address.local)
        .bind_text(":name", fresh.display_name)
        .bind(":created", fresh.created)
        .run();
  } catch (const sql::UniqueViolation&) {
    return fail(Errc::exists, fmt::format("{} is an account already", fresh.address.text()));
  }
  scope.transaction()
      .prepare("UPDATE tenants SET owner_account = :owner WHERE id = :id AND owner_account IS NULL")
      .bind(":id", scope.tenant())
      .bind(":owner", fresh.id)
      .run();
  return Account{fresh.id,           scope.tenant(), fresh.address,
                 fresh.display_name, Status::active, fresh.created};
}

Result<Account> find_account(sql::TenantScope& scope, AccountId id) {
  auto row = scope.prepare("SELECT " ACCOUNT_COLUMNS
                           " FROM accounts WHERE tenant_id = :tenant AND id = :id");
  row.bind(":id", id);
  if (!row.step()) return fail(Errc::not_found, "no such account");
  return read_account(row, scope.tenant());
}

Result<Account> find_account(sql::TenantScope& scope, const Address& address) {
  auto row = scope.prepare("SELECT " ACCOUNT_COLUMNS
                           " FROM accounts WHERE tenant_id = :tenant AND domain = :domain "
                           "AND local_part = :local");
  row.bind_text(":domain", address.domain).bind_text(":local", address.local);
  if (!row.step())
    return fail(Errc::not_found, fmt::format("no account is named {}", address.text()));
  return read_account(row, scope.tenant());
}

std::vector<Account> list_accounts(sql::TenantScope& scope, const Address& after,
                                   std::size_t limit) {
  auto rows = scope.prepare("SELECT " ACCOUNT_COLUMNS
                            " FROM accounts WHERE tenant_id = :tenant "
                            "AND domain >= :domain AND (domain > :domain OR local_part > :local) "
                            "ORDER BY domain, local_part LIMIT :limit");
  rows.bind_text(":domain", after.domain)
      .bind_text(":local", after.local)
      .bind(":limit", static_cast<std::int64_t>(limit));
  std::vector<Account> accounts;
  while (rows.step()) accounts.push_back(read_account(rows, scope.tenant()));
  return accounts;
}

Result<void> set_account_status(sql::TenantScope& scope, AccountId id, Status status) {
  scope.prepare("UPDATE accounts SET status = :status WHERE tenant_id = :tenant AND id = :id")
      .bind(":id", id)
      .bind(":status", static_cast<int>(status))
      .run();
  if (scope.changes() == 0) return fail(Errc::not_found, "no such account");
  return {};
}

Result<void> remove_account(sql::TenantScope& scope, AccountId id) {
  if (auto held = hold_account(scope, id); !held) return held;
  const auto account = find_account(scope, id);
  if (!account) return std::unexpected(account.error());
  const auto tenant = find_tenant(scope.transaction(), scope.tenant());
  if (!tenant) return std::unexpected(tenant.error());
  if (auto released = release_ownership(scope, *tenant, id); !released) return released;
  delete_leading_to(scope, *account);
  if (auto narrowed = forget_account(scope, account->address.text()); !narrowed) return narrowed;
  scope.prepare("DELETE FROM accounts WHERE tenant_id = :tenant AND id = :id")
      .bind(":id", id)
      .run();
  storage::outbox::append(scope.transaction(), kAccountRemoved,
                          fmt::format("{} {} {} {}", tenant->id.text(), id.text(), tenant->shard,
                                      account->address.text()));
  return {};
}

Result<RemovedAccount> parse_removed_account(std::string_view payload) {
  RemovedAccount removed;
  const auto corrupt = [] { return fail(Errc::corrupt, "not an account.removed entry"); };
  constexpr std::size_t kId = 32;  // hex digits
  if (payload.size() < 2 * kId + 4 || payload[kId] != ' ' || payload[2 * kId + 1] != ' ')
    return corrupt();
  const auto tenant = parse_uuid(payload.substr(0, kId));
  const auto account = parse_uuid(payload.substr(kId + 1, kId));
  payload.remove_prefix(2 * kId + 2);
  const auto [end, error] =
      std::from_chars(payload.data(), payload.data() + payload.size(), removed.shard);
  const auto used = static_cast<std::size_t>(end - payload.data());
  if (!tenant || !account || error != std::errc{} || used >= payload.size() || *end != ' ')
    return corrupt();
  removed.tenant = TenantId{*tenant};
  removed.account = AccountId{*account};
  removed.address = payload.substr(used + 1);
  return removed;
}

Result<Account> locate_account(sql::Transaction& tx, const Address& address) {
  const auto domain = find_domain(tx, address.domain);
  if (!domain) return std::unexpected(domain.error());
  sql::TenantScope scope(tx, domain->tenant);
  return find_account(scope, address);
}

Result<void> hold_account(sql::TenantScope& scope, AccountId id) {
  scope
      .prepare("UPDATE accounts SET revision = revision + 1 WHERE tenant_id = :tenant AND id = :id")
      .bind(":id", id)
      .run();
  if (scope.changes() == 0) return fail(Errc::not_found, "no such account");
  return {};
}

#undef ACCOUNT_COLUMNS

}  // namespace postern::accounts
