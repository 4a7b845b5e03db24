// How rows become values: shared by the repository and management. Private to smtp/queue.
#pragma once

#include <string_view>

#include "smtp/queue/message.hpp"
#include "storage/sql/transaction.hpp"

namespace postern::smtp::queue {

/// SELECT that read_envelope reads, up to its WHERE.
inline constexpr std::string_view kSelectEnvelope =
    "SELECT message_id, object_id, size, return_path, envelope_id, ret, body_type, utf8, lane, "
    "stream, created_at,"
    " expires_at, deadline, submitter, credential_id, origin, filing FROM queue_messages"
    " WHERE tenant_id = :tenant AND message_id = :message";
/// SELECT that read_recipient reads: all recipients of a message in order.
inline constexpr std::string_view kSelectRecipients =
    "SELECT recipient, address, destination, transport, notify, original, state, attempts, "
    "next_attempt_at,"
    " last_attempt_at, reply_code, reply_enhanced, reply_text, remote_mta, delay_reported FROM "
    "queue_recipients"
    " WHERE tenant_id = :tenant AND message_id = :message ORDER BY recipient";
inline constexpr std::string_view kSelectRecipient =
    "SELECT recipient, address, destination, transport, notify, original, state, attempts, "
    "next_attempt_at,"
    " last_attempt_at, reply_code, reply_enhanced, reply_text, remote_mta, delay_reported FROM "
    "queue_recipients"
    " WHERE tenant_id = :tenant AND message_id = :message AND recipient = :recipient";

/// NULL for no time.
void bind_optional(sql::Statement& statement, std::string_view name,
                   const std::optional<Timestamp>& time);
/// An enumerator as its column holds it.
template <class Enum>
int number(Enum value) {
  return static_cast<int>(value);
}

Envelope read_envelope(const sql::Statement& row, TenantId tenant);
Recipient read_recipient(const sql::Statement& row);

}  // namespace postern::smtp::queue
