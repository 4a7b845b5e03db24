// What is known of the DNS records of the hosted domains. Tenant table `domain_records`, one row a
// record; with it go columns of `domains` that say when to look next, whether anything is adrift,
// and when mails told of it.
//
// Invariants: rows are of domains that are proved, and of records that are wanted, or were while
// the owners were told of their drift and not yet of its end; they go with the domain. Drift and
// its end are in the tenant's audit chain in the commit that finds them. The rules are
// watched_record.hpp's.
//
// Deliberately missing: any reaction beyond telling. Mail goes on.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "accounts/audit/chain.hpp"
#include "accounts/domains.hpp"
#include "accounts/registry.hpp"
#include "accounts/watched_record.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "storage/sql/transaction.hpp"

namespace postern::accounts {

/// Of all that list_domains_to_check() gives sooner or later, and of suspended tenants'.
struct WatchCounts {
  std::int64_t watched = 0;  ///< domains
  std::int64_t adrift = 0;   ///< of them
};
WatchCounts count_watched(sql::Transaction& tx);

/// By purpose and name.
std::vector<WatchedRecord> list_domain_records(sql::TenantScope& scope, std::string_view domain);

struct Turned {
  Turn turn = Turn::none;
  WatchedRecord record;  ///< as it is now, or was when it is wanted no more
};
struct Noted {
  std::vector<WatchedRecord> records;  ///< all that are left, as they are now
  std::vector<Turned> turned;
};
struct Look {
  std::vector<Observation> seen;  ///< one for each wanted record; rows of any other end, and go
  Timestamp at;
  WatchTiming timing;
};
/// Errc::not_found: not this tenant's, not proved, or another domain of that name by now. Errors of
/// the chain: nothing was noted then.
Result<Noted> note_look(sql::TenantScope& scope, const audit::Chain& chain, const Domain& domain,
                        const Look& look);

/// The same in a transaction of its own; then each turn is in the log.
Task<Result<Noted>> note_look(Registry& registry, const audit::Chain& chain, Domain domain,
                              Look look);

/// What a mail has to tell now.
Telling find_telling(sql::TenantScope& scope, std::string_view domain, Timestamp now);
/// That mail left.
void note_told(sql::TenantScope& scope, std::string_view domain, const Telling& telling,
               Timestamp now, const WatchTiming& timing);
/// The look, or the mail, failed or had nobody to go to.
void put_off_check(sql::Transaction& tx, std::string_view domain, Timestamp until);

}  // namespace postern::accounts
