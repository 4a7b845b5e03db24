// An audit record on its way: what was done in a file that holds no chain (queue.db), as an entry
// of that file's outbox. The chain takes it from there (audit.hpp); a crash between the two repeats
// that, and the record's id tells.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "accounts/audit/record.hpp"
#include "core/result.hpp"
#include "storage/outbox.hpp"

namespace postern::web {

struct AuditIntent {
  TenantId tenant;
  accounts::audit::Record record;
};

std::string to_payload(const AuditIntent& intent);
/// Errc::corrupt.
Result<AuditIntent> parse_intent(std::string_view payload);

void leave_intent(sql::Transaction& tx, const AuditIntent& intent);

struct WaitingIntent {
  storage::outbox::Place entry;
  AuditIntent intent;
};
/// Some of what waits, oldest first. Errc::corrupt when an entry can't be read: then somebody has
/// to look at it, since an act is behind it.
Result<std::vector<WaitingIntent>> waiting_intents(sql::Transaction& tx, Timestamp now);

}  // namespace postern::web
