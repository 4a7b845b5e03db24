#include "accounts/audit/retention.hpp"

namespace postern::accounts::audit {

namespace {

bool is_due(sql::TenantScope& scope, Timestamp oldest) {
  const auto head = read_head(scope);
  if (!head || head->closed != Closed::no || head->next_number == head->first_number) return false;
  auto row =
      scope.prepare("SELECT at FROM audit_records WHERE tenant_id = :tenant AND number = :first");
  row.bind(":first", head->first_number);
  return !row.step() || from_micros(row.integer(0)) < oldest;
}

}  // namespace

std::vector<TenantId> chains_older_than(sql::Transaction& tx, Timestamp oldest) {
  std::vector<TenantId> due;
  for (const auto id : listed_chains(tx)) {
    sql::TenantScope scope(tx, id);
    if (is_due(scope, oldest)) due.push_back(id);
  }
  return due;
}

std::uint64_t kept_records(sql::TenantScope& scope) {
  const auto head = read_head(scope);
  if (!head || head->closed != Closed::no || head->next_number < head->first_number) return 0;
  return static_cast<std::uint64_t>(head->next_number - head->first_number);
}

}  // namespace postern::accounts::audit
