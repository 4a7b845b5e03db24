#include "accounts/audit/rows.hpp"

namespace postern::accounts::audit {

RecordView view_row(const sql::Statement& row) {
  return {.number = row.integer(0),
          .id = row.blob(1),
          .at = row.integer(2),
          .action = row.text(3),
          .outcome = row.integer(4),
          .actor_kind = row.integer(5),
          .actor_id = row.text(6),
          .actor = row.text(7),
          .original_actor = row.text(8),
          .door = row.integer(9),
          .address = row.text(10),
          .target = row.text(11),
          .details = row.text(12),
          .request_id = row.text(13)};
}

std::string_view mac_of_row(const sql::Statement& row) { return row.blob(14); }

Entry read_entry(const sql::Statement& row) {
  const auto view = view_row(row);
  Entry entry;
  entry.number = static_cast<std::uint64_t>(view.number);
  entry.mac = mac_of_row(row);
  auto& record = entry.record;
  record.id = row.id<AuditId>(1);
  record.at = row.time(2);
  record.action = view.action;
  record.outcome = static_cast<Outcome>(view.outcome);
  record.actor_kind = static_cast<ActorKind>(view.actor_kind);
  record.actor_id = view.actor_id;
  record.actor = view.actor;
  record.original_actor = view.original_actor;
  record.door = static_cast<Door>(view.door);
  record.address = view.address;
  record.target = view.target;
  record.details = view.details;
  record.request_id = view.request_id;
  return entry;
}

}  // namespace postern::accounts::audit
