// Grants to send as any address of a domain, beside what an account may send as by its own name.
// Tenant table: functions take a TenantScope.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/id.hpp"
#include "core/result.hpp"
#include "storage/sql/transaction.hpp"

namespace postern::accounts {

/// Lets an account send as any address of one of its tenant's domains. Repeatable. Errc::not_found
/// for an account or domain that isn't the tenant's, Errc::invalid for a text that is no domain.
Result<void> grant_domain(sql::TenantScope& scope, AccountId id, std::string_view domain);
/// Errc::not_found when there is no such grant, Errc::invalid.
Result<void> revoke_domain_grant(sql::TenantScope& scope, AccountId id, std::string_view domain);
/// In order of name.
std::vector<std::string> list_domain_grants(sql::TenantScope& scope, AccountId id);
/// `domain` as parse_domain gives it.
bool has_domain_grant(sql::TenantScope& scope, AccountId id, std::string_view domain);

}  // namespace postern::accounts
