#include "smtp/queue/management.hpp"

#include <algorithm>
#include <charconv>

#include "core/ascii.hpp"
#include "smtp/queue/rows.hpp"
#include "smtp/queue/schema.hpp"

namespace postern::smtp::queue {

namespace {
struct Place {
  TenantId tenant;
  MessageId message;
  std::uint32_t recipient = 0;
};

bool matches_schedule(const ListFilter& filter, const sql::Statement& row) {
  if (filter.tenant && row.id<TenantId>(2) != *filter.tenant) return false;
  if (filter.lane && row.integer(3) != static_cast<std::int64_t>(*filter.lane)) return false;
  if (filter.destination && row.text(4) != *filter.destination) return false;
  if (filter.state && (row.time(5) == kNever) != (*filter.state == State::held)) return false;
  return true;
}

// Up to kMaxListVisits rows of the schedule after `at`, which moves; those that match so far.
std::vector<Place> visit_schedule(sql::Transaction& tx, const ListFilter& filter, ListCursor& at,
                                  std::size_t wanted, std::size_t& visits) {
  std::vector<Place> places;
  auto rows = tx.prepare(
      "SELECT message_id, recipient, tenant_id, lane, destination, due_at FROM queue_schedule"
      " WHERE (message_id, recipient) > (:message, :recipient) ORDER BY message_id, recipient "
      "LIMIT :limit");
  rows.bind(":message", at.message)
      .bind(":recipient", static_cast<std::int64_t>(at.recipient))
      .bind(":limit", static_cast<std::int64_t>(kMaxListVisits));
  visits = 0;
  while (places.size() < wanted && rows.step()) {
    ++visits;
    at.message = rows.id<MessageId>(0);
    at.recipient = static_cast<std::uint32_t>(rows.integer(1));
    if (matches_schedule(filter, rows))
      places.push_back({rows.id<TenantId>(2), at.message, at.recipient});
  }
  return places;
}

std::optional<ListRow> read_row(sql::Transaction& tx, const Place& place) {
  sql::TenantScope scope(tx, place.tenant);
  ListRow out;
  {
    auto row = scope.prepare(kSelectEnvelope);
    row.bind(":message", place.message);
    if (!row.step()) return std::nullopt;
    out.envelope = read_envelope(row, place.tenant);
  }
  auto row = scope.prepare(kSelectRecipient);
  row.bind(":message", place.message).bind(":recipient", place.recipient);
  if (!row.step()) return std::nullopt;
  out.recipient = read_recipient(row);
  return out;
}

bool matches_row(const ListFilter& filter, const ListRow& row) {
  if (filter.sender && !ascii::iequals(*filter.sender, row.envelope.return_path)) return false;
  return !filter.recipient || ascii::iequals(*filter.recipient, row.recipient.address);
}

Result<QueuedMessage> load_target(sql::TenantScope& scope, const Target& target) {
  std::vector<std::uint32_t> only;
  if (target.recipient) only.push_back(*target.recipient);
  auto message = load_message(scope, target.message, only);
  if (message && message->recipients.empty())
    return fail(Errc::not_found, "no such recipient in the message");
  return message;
}

// The row that guards the message's recipients is written before anything is read (see storage/).
void lock(sql::TenantScope& scope, MessageId message) {
  scope
      .prepare(
          "UPDATE queue_messages SET live = live WHERE tenant_id = :tenant AND message_id = "
          ":message")
      .bind(":message", message)
      .run();
}

void set_state(sql::TenantScope& scope, MessageId message, std::uint32_t recipient, State state,
               std::optional<Timestamp> next) {
  auto update = scope.prepare(
      "UPDATE queue_recipients SET state = :state, next_attempt_at = :next"
      " WHERE tenant_id = :tenant AND message_id = :message AND recipient = :recipient");
  update.bind(":state", static_cast<int>(state))
      .bind(":message", message)
      .bind(":recipient", recipient);
  if (next) {
    update.bind(":next", *next);
  } else {
    update.bind_null(":next");
  }
  update.run();
}

void set_due(sql::Transaction& tx, MessageId message, std::uint32_t recipient, Timestamp due) {
  tx.prepare(
        "UPDATE queue_schedule SET due_at = :due WHERE message_id = :message AND recipient = "
        ":recipient")
      .bind(":due", due)
      .bind(":message", message)
      .bind(":recipient", recipient)
      .run();
}

struct Move {
  State from, to;
  Timestamp due;
  EventKind kind;
};

Result<Acted> move(sql::Transaction& tx, const Target& target, const Move& what, Timestamp now) {
  sql::TenantScope scope(tx, target.tenant);
  lock(scope, target.message);
  const auto message = load_target(scope, target);
  if (!message) return std::unexpected(message.error());
  const auto next = what.to == State::held ? std::nullopt : std::optional<Timestamp>(what.due);
  Acted acted;
  for (const auto& recipient : message->recipients) {
    if (recipient.state != what.from) continue;
    set_state(scope, target.message, recipient.number, what.to, next);
    set_due(tx, target.message, recipient.number, what.due);
    acted.push_back(recipient_event(message->envelope, recipient, what.kind, now));
    acted.back().next_attempt = next;
  }
  return acted;
}
}  // namespace

std::string ListCursor::text() const { return message.text() + "-" + std::to_string(recipient); }

std::optional<ListCursor> parse_list_cursor(std::string_view text) {
  const auto dash = text.rfind('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto id = parse_uuid(text.substr(0, dash));
  const auto digits = text.substr(dash + 1);
  std::uint32_t recipient = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), recipient);
  if (!id || error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return ListCursor{MessageId{*id}, recipient};
}

Result<ListPage> list(sql::Transaction& tx, const ListFilter& filter,
                      const std::optional<ListCursor>& after, std::size_t limit) {
  if (filter.state && *filter.state != State::queued && *filter.state != State::held) {
    return fail(Errc::invalid, "only queued and held recipients are listed");
  }
  limit = std::clamp<std::size_t>(limit, 1, kMaxListPage);
  ListPage page;
  // Before every row: ids are never nil.
  ListCursor at = after.value_or(ListCursor{});
  std::size_t visits = 0;
  const auto places = visit_schedule(tx, filter, at, limit, visits);
  for (const auto& place : places) {
    auto row = read_row(tx, place);
    if (row && matches_row(filter, *row)) page.rows.push_back(std::move(*row));
  }
  if (places.size() == limit || visits == kMaxListVisits) page.next = at;
  return page;
}

Result<TenantId> tenant_of(sql::Transaction& tx, MessageId message) {
  auto row = tx.prepare("SELECT tenant_id FROM queue_schedule WHERE message_id = :message LIMIT 1");
  row.bind(":message", message);
  if (!row.step()) return fail(Errc::not_found, "no such message in the queue");
  return row.id<TenantId>(0);
}

Result<QueuedMessage> show(sql::Transaction& tx, MessageId message) {
  const auto tenant = tenant_of(tx, message);
  if (!tenant) return std::unexpected(tenant.error());
  sql::TenantScope scope(tx, *tenant);
  return load_message(scope, message, {});
}

Result<Acted> retry_now(sql::Transaction& tx, const Target& target, Timestamp now) {
  return move(tx, target, {State::queued, State::queued, now, EventKind::retried}, now);
}

Result<Acted> hold(sql::Transaction& tx, const Target& target, Timestamp now) {
  return move(tx, target, {State::queued, State::held, kNever, EventKind::held}, now);
}

Result<Acted> release(sql::Transaction& tx, const Target& target, Timestamp now) {
  return move(tx, target, {State::held, State::queued, now, EventKind::released}, now);
}

Result<Acted> drop(sql::Transaction& tx, const Target& target, Timestamp now) {
  sql::TenantScope scope(tx, target.tenant);
  lock(scope, target.message);
  const auto message = load_target(scope, target);
  if (!message) return std::unexpected(message.error());
  Acted acted;
  for (const auto& recipient : message->recipients) {
    if (recipient.state != State::queued && recipient.state != State::held) continue;
    set_state(scope, target.message, recipient.number, State::dropped, std::nullopt);
    tx.prepare("DELETE FROM queue_schedule WHERE message_id = :message AND recipient = :recipient")
        .bind(":message", target.message)
        .bind(":recipient", recipient.number)
        .run();
    acted.push_back(recipient_event(message->envelope, recipient, EventKind::dropped, now));
  }
  end_recipients(scope, target.message, static_cast<std::int64_t>(acted.size()));
  return acted;
}

}  // namespace postern::smtp::queue
