// What delivery leaves in the outbox: each outcome's event, in the outcome's own commit.
#include "smtp/queue/event_payload.hpp"
#include "storage/outbox.hpp"
#include "tests/smtp/delivery/service_fixture.hpp"

namespace postern::test {

namespace {

std::vector<q::DeliveryEvent> outbox_of(ServiceFixture& f) {
  using Events = std::vector<q::DeliveryEvent>;
  return f.queue.read<Events>([](sql::Transaction& tx) {
    Events out;
    for (const auto& entry : storage::outbox::due(tx, q::kEventTopic, Timestamp::max(), 1000)) {
      auto events = q::parse_events(entry.payload);
      if (events) out.insert(out.end(), events->begin(), events->end());
    }
    return out;
  });
}

}  // namespace

TEST_CASE("outcomes_of_one_attempt_are_in_the_outbox_and_so_is_the_report") {
  SmtpSink::Script script;
  script.rcpt = [](const std::string& address) {
    return address.starts_with("bad") ? "550 5.1.1 unknown" : "250 ok";
  };
  SmtpSink sink(script);
  ServiceFixture f(sink.port());
  f.start();
  const auto id = f.send(f.queue.message({"bad@b.example", "good@b.example"}));
  REQUIRE(f.finished(id));
  REQUIRE(f.stop());
  const auto events = outbox_of(f);
  REQUIRE(events.size() >= 3);
  CHECK(events[0].message == id);
  CHECK(events[0].kind == q::EventKind::bounced);
  CHECK(events[0].bounce == q::BounceClass::bad_address);
  CHECK(events[0].address == "bad@b.example");
  CHECK(events[0].reply.one_line() == "550 5.1.1 unknown");
  CHECK(events[1].message == id);
  CHECK(events[1].kind == q::EventKind::delivered);
  CHECK(events[1].recipient == 1);
  CHECK(events[2].kind == q::EventKind::accepted);  // the report, on its own way
  CHECK(events[2].message != id);
  CHECK(events[2].return_path.empty());
}

TEST_CASE("deferred_recipient_has_its_next_attempt_in_the_outbox") {
  SmtpSink::Script script;
  script.rcpt = [](const std::string&) { return "451 4.3.0 later"; };
  SmtpSink sink(script);
  ServiceFixture f(sink.port());
  f.start();
  f.send(f.queue.message({"a@b.example"}));
  REQUIRE(eventually([&] { return f.local.count(q::EventKind::deferred) == 1; }));
  REQUIRE(f.stop());
  const auto events = outbox_of(f);
  REQUIRE(events.size() == 1);
  CHECK(events[0].kind == q::EventKind::deferred);
  CHECK(events[0].attempts == 1);
  REQUIRE(events[0].next_attempt);
  CHECK(*events[0].next_attempt > events[0].at);
}

}  // namespace postern::test
