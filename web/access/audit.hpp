// Requests as audit records: what was asked for, by whom, through which door.
#pragma once

#include <string>
#include <string_view>

#include "accounts/access/caller.hpp"
#include "accounts/access/reach.hpp"
#include "core/task.hpp"
#include "web/http/message.hpp"
#include "web/services.hpp"

namespace postern::web {

/// Everything of a record but what the act itself finds out. A plain value, for closures.
struct Act {
  const accounts::audit::Chain* chain = nullptr;
  accounts::audit::AuditId id;  ///< so that a repeat of it is known
  accounts::Caller caller;
  std::string action;
  Peer peer;
  std::string request_id;
  Timestamp at;
};
Act make_act(const Services& services, const Request& request, const accounts::Caller& caller,
             std::string_view action);

/// The record of an act that succeeded, without details.
accounts::audit::Record record_of(const Act& act, std::string target);

/// Appends the record of something that was done, to the chain of the tenant whose things were
/// touched, else to the platform's; in the transaction of the act.
Result<void> enter(const Act& act, sql::Transaction& tx, const accounts::Reach& reach);

/// For an act whose commit is in another file than the chains: the record goes into that file's
/// outbox in the same commit, and from there into the chain.
void enter_later(const Act& act, sql::Transaction& tx, TenantId tenant, std::string target);
/// Takes what enter_later() left in queue.db into the chains; what is there already changes
/// nothing. After each such act, and now and then for what a crash left.
Task<Result<void>> settle_intents(Services& services);

/// A look across tenants by a person, with its reason.
Task<Result<void>> enter_look(Services& services, const Request& request,
                              const accounts::Caller& caller, std::string_view action,
                              std::string reason);
/// Something that was asked for and not allowed.
Task<Result<void>> enter_denial(Services& services, const Request& request,
                                const accounts::Caller& caller, std::string_view action);

}  // namespace postern::web
