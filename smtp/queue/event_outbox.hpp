// The sink of a server: events become entries of the outbox of the file whose commit causes them
// (queue.db, or a mail shard where mail is placed straight into mailboxes). The program's event
// mover takes them from there into the month's file.
#pragma once

#include <functional>
#include <string_view>

#include "smtp/queue/event.hpp"

namespace postern::smtp::queue {

/// The outbox topic; payloads as in event_payload.hpp.
inline constexpr std::string_view kEventTopic = "delivery.event";

class EventOutbox final : public EventSink {
 public:
  /// `nudge` is called after commits, from any io thread, and must not block.
  explicit EventOutbox(std::function<void()> nudge) : nudge_(std::move(nudge)) {}

  void append(sql::Transaction& tx, std::span<const DeliveryEvent> events) override;
  void committed(const DeliveryEvent& event) override;

 private:
  std::function<void()> nudge_;
};

}  // namespace postern::smtp::queue
