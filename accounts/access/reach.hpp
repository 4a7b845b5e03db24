// What one caller reaches in control.db, within one transaction: the only way from a request to the
// accounts' tables.
//
// A thing that lies outside the caller's tenant, or outside what it is narrowed to, answers exactly
// like one that doesn't exist. Handlers get a Reach and no bare transaction, so that forgetting the
// check isn't possible; `tests/security` tries every route with the other tenant's names.
//
// Owner: the closure's caller; lives as long as the transaction.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "accounts/access/caller.hpp"
#include "accounts/account.hpp"
#include "accounts/domains.hpp"
#include "accounts/tenants.hpp"
#include "storage/sql/transaction.hpp"

namespace postern::accounts {

class Reach {
 public:
  Reach(sql::Transaction& tx, const Caller& caller) : tx_(&tx), caller_(&caller) {}

  [[nodiscard]] const Caller& caller() const { return *caller_; }

  /// By name, or by id in text form. All of these: Errc::not_found, Errc::invalid (not a name).
  Result<Tenant> tenant(const std::string& name_or_id);
  /// The tenant that a request names, or the caller's own when it names none (Errc::invalid when
  /// the caller has none).
  Result<Tenant> tenant_or_own(const std::string& name_or_id);
  Result<Domain> domain(std::string_view name);
  Result<Account> account(const Address& address);

  /// The tables of a tenant that this caller reaches; any other is a bug, and an exception. What is
  /// done is entered in the first such tenant's audit chain.
  sql::TenantScope scope(TenantId tenant);
  /// All tenants' (lists, tenants themselves): only for callers who act in none, and hold a
  /// permission of the platform. `reason`, a literal, goes into the audit record.
  Result<sql::Transaction*> unscoped(Permission permission, std::string_view reason);

  /// For the audit record of what is done here: "domain:example.org".
  void set_target(std::string target) { target_ = std::move(target); }
  [[nodiscard]] const std::string& target() const { return target_; }
  /// The tenant whose things were found or used first; nullopt: the platform's alone.
  [[nodiscard]] std::optional<TenantId> touched() const { return touched_; }
  [[nodiscard]] std::string_view unscoped_reason() const { return unscoped_reason_; }

 private:
  [[nodiscard]] bool sees_record_of(TenantId tenant) const;
  void touch(TenantId tenant) {
    if (!touched_) touched_ = tenant;
  }

  sql::Transaction* tx_;
  const Caller* caller_;
  std::optional<TenantId> touched_;
  std::string target_;
  std::string_view unscoped_reason_;
};

}  // namespace postern::accounts
