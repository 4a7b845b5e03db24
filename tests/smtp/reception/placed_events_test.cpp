// The timeline of mail that is placed straight into mailboxes.
#include "smtp/reception/placed_events.hpp"

#include "smtp/queue/event_outbox.hpp"
#include "smtp/queue/event_payload.hpp"
#include "storage/outbox.hpp"
#include "tests/smtp/reception/reception_house.hpp"

using namespace postern;
using test::must;
using test::ReceptionHouse;
namespace queue = smtp::queue;

namespace {

struct House : ReceptionHouse {
  House() {
    environment.events = &sink;
    reception = std::make_unique<smtp::reception::Reception>(environment);
  }
  std::vector<queue::DeliveryEvent> events_in(storage::Database& file) {
    using Events = std::vector<queue::DeliveryEvent>;
    return must(file.read_blocking<Events>([](sql::Transaction& tx) -> Result<Events> {
      Events out;
      for (const auto& entry :
           storage::outbox::due(tx, queue::kEventTopic, Timestamp::max(), 1000)) {
        for (auto& event : must(queue::parse_events(entry.payload))) out.push_back(event);
      }
      return out;
    }));
  }
  std::vector<queue::DeliveryEvent> placed() { return events_in(files->mail(acme.shard)); }

  int nudges = 0;
  queue::EventOutbox sink{[this] { ++nudges; }};
};

constexpr const char* kText = "From: x@remote.example\r\nSubject: s\r\n\r\nbody\r\n";

}  // namespace

TEST_CASE("mail_placed_into_mailboxes_is_accepted_and_delivered_to_each") {
  House house;
  const auto reply = house.send(house.stranger(), "x@remote.example",
                                {"ann@acme.example", "bob@acme.example"}, kText);
  REQUIRE(reply.code == 250);
  auto events = house.placed();
  REQUIRE(events.size() == 3);
  const auto id = events[0].message;
  CHECK_THAT(reply.text, Catch::Contains(id.text()));
  CHECK(events[0].kind == queue::EventKind::accepted);
  CHECK(events[0].return_path == "x@remote.example");
  std::set<std::string> delivered;
  for (const auto& event : events) {
    CHECK(event.message == id);
    CHECK(event.tenant == house.acme.id);
    if (event.kind == queue::EventKind::delivered) delivered.insert(event.address);
  }
  CHECK(delivered == std::set<std::string>{"ann@acme.example", "bob@acme.example"});
  CHECK(house.nudges == 1);
  CHECK(house.events_in(house.files->queue()).empty());
}

TEST_CASE("commit_that_is_tried_again_makes_the_same_events") {
  House house;
  smtp::reception::Accepted message;
  message.id = MessageId::make();
  accounts::Route route;
  route.tenant = house.acme.id;
  route.address = "ann@acme.example";
  const smtp::reception::PlacedEvents events(&house.sink, message, {&route, 1},
                                             house.world.clock.now());
  must(house.files->mail(0).write_blocking<void>(
      storage::Purpose::outcome, [&](sql::Transaction& tx) -> Result<void> {
        for (int i = 0; i < 2; ++i) events.alongside()(tx, {{mailbox::DeliveryState::placed, {}}});
        return {};
      }));
  std::set<queue::EventId> ids;
  for (const auto& event : house.events_in(house.files->mail(0))) ids.insert(event.id);
  CHECK(ids.size() == 2);  // accepted and delivered
}

TEST_CASE("mail_for_other_servers_is_accepted_in_the_queue") {
  House house;
  const auto reply = house.send(house.user(house.ann), "ann@acme.example", {"bob@remote.example"},
                                "From: ann@acme.example\r\nSubject: s\r\n\r\nbody\r\n");
  REQUIRE(reply.code == 250);
  const auto events = house.events_in(house.files->queue());
  REQUIRE(events.size() == 1);
  CHECK(events[0].kind == queue::EventKind::accepted);
  CHECK_THAT(reply.text, Catch::Contains(events[0].message.text()));
  CHECK(house.placed().empty());
  CHECK(house.nudges == 1);
}

TEST_CASE("mail_that_no_mailbox_takes_leaves_no_event") {
  House house;
  smtp::reception::Accepted message;
  message.id = MessageId::make();
  accounts::Route route;
  route.tenant = house.acme.id;
  const smtp::reception::PlacedEvents events(&house.sink, message, {&route, 1},
                                             house.world.clock.now());
  must(house.files->mail(0).write_blocking<void>(
      storage::Purpose::outcome, [&](sql::Transaction& tx) -> Result<void> {
        events.alongside()(tx, {{mailbox::DeliveryState::over_quota, {}}});
        events.alongside()(tx, {{mailbox::DeliveryState::repeated, {}}});
        return {};
      }));
  CHECK(house.events_in(house.files->mail(0)).empty());
}
