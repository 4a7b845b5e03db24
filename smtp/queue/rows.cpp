#include "smtp/queue/rows.hpp"

namespace postern::smtp::queue {

namespace {
std::optional<Timestamp> optional_time(const sql::Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return row.time(column);
}

// Enumerators are written by this program; a number out of range (a damaged file) reads as the
// first.
template <class Enum>
Enum enumerator(const sql::Statement& row, int column, Enum last) {
  const auto value = row.integer(column);
  if (value < 0 || value > static_cast<std::int64_t>(last)) return Enum{};
  return static_cast<Enum>(value);
}
}  // namespace

void bind_optional(sql::Statement& statement, std::string_view name,
                   const std::optional<Timestamp>& time) {
  if (time) {
    statement.bind(name, *time);
  } else {
    statement.bind_null(name);
  }
}

Envelope read_envelope(const sql::Statement& row, TenantId tenant) {
  Envelope envelope;
  envelope.tenant = tenant;
  envelope.id = row.id<MessageId>(0);
  envelope.body = row.id<ObjectId>(1);
  envelope.size = static_cast<std::uint64_t>(row.integer(2));
  envelope.return_path = row.text(3);
  envelope.envelope_id = row.text(4);
  envelope.ret = enumerator(row, 5, Ret::headers);
  envelope.body_type = enumerator(row, 6, BodyType::eight_bit);
  envelope.utf8 = enumerator(row, 7, Utf8::needed);
  envelope.lane = enumerator(row, 8, Lane::bulk);
  envelope.stream = row.text(9);
  envelope.created_at = row.time(10);
  envelope.expires_at = row.time(11);
  envelope.deadline = optional_time(row, 12);
  envelope.submitter = row.text(13);
  envelope.credential = row.id<CredentialId>(14);
  envelope.origin = row.text(15);
  envelope.filing = enumerator(row, 16, Filing::junk);
  return envelope;
}

Recipient read_recipient(const sql::Statement& row) {
  Recipient recipient;
  recipient.number = static_cast<std::uint32_t>(row.integer(0));
  recipient.address = row.text(1);
  recipient.destination = row.text(2);
  recipient.transport = enumerator(row, 3, Transport::local);
  recipient.notify.bits = static_cast<std::uint8_t>(row.integer(4));
  recipient.original = row.text(5);
  recipient.state = enumerator(row, 6, State::dropped);
  recipient.attempts = static_cast<std::uint32_t>(row.integer(7));
  recipient.next_attempt = optional_time(row, 8);
  recipient.last_attempt = optional_time(row, 9);
  recipient.last_reply.code = static_cast<int>(row.integer(10));
  recipient.last_reply.enhanced = parse_enhanced_code(row.text(11)).value_or(EnhancedCode{});
  recipient.last_reply.text = row.text(12);
  recipient.remote_mta = row.text(13);
  recipient.delay_reported = row.integer(14) != 0;
  return recipient;
}

}  // namespace postern::smtp::queue
