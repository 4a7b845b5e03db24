// Delivery events with every field set.
#pragma once

#include <catch2/catch.hpp>

#include "smtp/queue/event.hpp"

namespace postern::test {

namespace q = postern::smtp::queue;

inline q::DeliveryEvent sample_event(q::EventKind kind, TenantId tenant = TenantId::make(),
                                     MessageId message = MessageId::make()) {
  q::DeliveryEvent event;
  event.id = q::EventId::make();
  event.kind = kind;
  event.bounce = kind == q::EventKind::bounced ? q::BounceClass::other : q::BounceClass::none;
  event.at = Timestamp{std::chrono::sys_days{std::chrono::year{2026} / 1 / 31}} +
             std::chrono::microseconds{123'456};
  event.tenant = tenant;
  event.message = message;
  event.recipient = 4'000'000'000;
  event.address = "bob@r\xc3\xa9mote.example";
  event.destination = "r\xc3\xa9mote.example";
  event.stream = "newsletter";
  event.lane = Lane::bulk;
  event.return_path = "sender@our.example";
  event.reply = q::make_reply(452, {4, 2, 200}, "full\nreally");
  event.remote_mta = "mx.remote.example";
  event.attempts = 7;
  event.next_attempt = event.at + std::chrono::hours(1);
  event.age = std::chrono::minutes(3);
  return event;
}

inline void check_same(const q::DeliveryEvent& a, const q::DeliveryEvent& b) {
  CHECK(a.id == b.id);
  CHECK(a.kind == b.kind);
  CHECK(a.bounce == b.bounce);
  CHECK(a.at == b.at);
  CHECK(a.tenant == b.tenant);
  CHECK(a.message == b.message);
  CHECK(a.recipient == b.recipient);
  CHECK(a.address == b.address);
  CHECK(a.destination == b.destination);
  CHECK(a.stream == b.stream);
  CHECK(a.lane == b.lane);
  CHECK(a.return_path == b.return_path);
  CHECK(a.reply == b.reply);
  CHECK(a.remote_mta == b.remote_mta);
  CHECK(a.attempts == b.attempts);
  CHECK(a.next_attempt == b.next_attempt);
  CHECK(a.age == b.age);
}

}  // namespace postern::test
