// What people do with the queue: list, show, retry, hold, release, drop.
//
// Functions of a transaction. They work read-only on a queue.db that no server has open (list,
// show), and inside a running server, where the caller tells the delivery service what changed
// (DeliveryService::changed).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "smtp/queue/event.hpp"
#include "smtp/queue/message.hpp"
#include "smtp/queue/repository.hpp"
#include "storage/sql/transaction.hpp"

namespace postern::smtp::queue {

inline constexpr std::size_t kMaxListPage = 500;  ///< rows answered at once
inline constexpr std::size_t kMaxListVisits =
    5'000;  ///< rows looked at for a page; then it ends early, with a cursor

struct ListFilter {
  std::optional<TenantId> tenant{};
  std::optional<Lane> lane{};
  std::optional<State> state{};              ///< queued or held
  std::optional<std::string> destination{};  ///< a domain
  std::optional<std::string> sender{};       ///< whole return path, case ignored
  std::optional<std::string> recipient{};    ///< whole address, case ignored
};

/// Opaque to callers: the last row of the page before.
struct ListCursor {
  MessageId message;
  std::uint32_t recipient = 0;
  [[nodiscard]] std::string text() const;
};
std::optional<ListCursor> parse_list_cursor(std::string_view text);

struct ListRow {
  Envelope envelope;
  Recipient recipient;
};
struct ListPage {
  std::vector<ListRow> rows;
  std::optional<ListCursor> next;  ///< absent: that was all
};

/// Live recipients of all tenants that match, oldest message first. The platform operator's view.
Result<ListPage> list(sql::Transaction& tx, const ListFilter& filter,
                      const std::optional<ListCursor>& after, std::size_t limit);

/// Which tenant a live message belongs to (ids alone don't say it). Errc::not_found.
Result<TenantId> tenant_of(sql::Transaction& tx, MessageId message);
/// The message with all its recipients, finished ones too. Errc::not_found.
Result<QueuedMessage> show(sql::Transaction& tx, MessageId message);

/// What a verb acts on: a message, or one recipient of it.
struct Target {
  TenantId tenant;
  MessageId message;
  std::optional<std::uint32_t> recipient;
};
/// Each answers an event for each recipient that changed, for the caller to append in the same
/// transaction; Errc::not_found when the message isn't there.
using Acted = std::vector<DeliveryEvent>;
Result<Acted> retry_now(sql::Transaction& tx, const Target& target, Timestamp now);
Result<Acted> hold(sql::Transaction& tx, const Target& target, Timestamp now);
Result<Acted> release(sql::Transaction& tx, const Target& target, Timestamp now);
/// Removes without a report. An attempt under way may still deliver.
Result<Acted> drop(sql::Transaction& tx, const Target& target, Timestamp now);

}  // namespace postern::smtp::queue
