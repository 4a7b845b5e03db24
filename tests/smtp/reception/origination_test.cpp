// Mail that the server itself writes: where it lands, what it carries, when it is worthless.
#include "smtp/reception/origination.hpp"

#include "message/header.hpp"
#include "smtp/queue/event_outbox.hpp"
#include "smtp/queue/event_payload.hpp"
#include "storage/outbox.hpp"
#include "tests/smtp/reception/reception_house.hpp"
#include "tests/support/eventually.hpp"

using namespace postern;
using namespace std::chrono_literals;
using smtp::reception::Origination;
using test::must;
using test::ReceptionHouse;
namespace queue = smtp::queue;

namespace {

struct House : ReceptionHouse {
  explicit House(smtp::reception::Policy policy = {}) : ReceptionHouse(std::move(policy)) {
    environment.events = &sink;
  }
  Origination to(const std::vector<std::string>& recipients) const {
    Origination out;
    out.tenant = platform.id;
    out.return_path = "no-reply@acme.example";
    out.message.from.push_back({"Acme Mail", "no-reply@acme.example"});
    for (const auto& address : recipients) out.message.to.push_back({{}, address});
    out.message.subject = "Sign in";
    out.message.text = "https://acme.example/s/0123456789\n";
    out.lane = Lane::auth;
    out.deadline = world.clock.now() + 10min;
    out.stream = "account";
    out.origin = "server";
    return out;
  }
  Result<MessageId> try_originate(Origination origination) {
    return world.run(smtp::reception::originate(environment, signer, std::move(origination)));
  }
  MessageId originate(Origination origination) {
    return must(try_originate(std::move(origination)));
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
  /// The copies for mailboxes, as the queue brings them.
  void deliver_locally(const QueuedPtr& message) {
    for (const auto& recipient : message->recipients) {
      if (recipient.transport != queue::Transport::local) continue;
      const auto reply = must(world.run(
          local->deliver({.id = queue::delivery_id(message->envelope.id, recipient.number),
                          .message = message,
                          .recipient = recipient,
                          .body = body_of(message)})));
      CHECK(reply.code == 250);
    }
  }
  std::vector<dkim::SignatureResult> verify(const std::string& text) {
    return world.run(dkim::verify(dns, dkim::make_message(text), {.now = world.clock.now()}));
  }

  accounts::Tenant platform = world.tenant("house");
  smtp::reception::OutboundSigner signer{world.look_up, world.clock};
  queue::EventOutbox sink{[] {}};
};

void check_fields(const std::string& text, MessageId id) {
  const auto header = message::HeaderBlock::parse(text);
  for (const auto* name : {"Received", "Date", "Message-ID", "From", "To", "Subject",
                           "Auto-Submitted", "MIME-Version"}) {
    INFO(name);
    CHECK(header.count(name) == 1);
  }
  CHECK(header.text("Auto-Submitted") == "auto-generated");  // RFC 3834 §5.2
  CHECK(header.text("Message-ID") == "<" + id.text() + "@mx.acme.example>");
  // The clock of the test stands at 2026-01-01, a Thursday.
  CHECK(header.text("Date") == "Thu, 01 Jan 2026 00:00:00 +0000");
  CHECK(header.text("From") == "Acme Mail <no-reply@acme.example>");
  for (const auto& field : header.fields()) {
    CHECK_FALSE(field.name.starts_with("X-"));
    CHECK_FALSE(field.name.empty());
  }
}

}  // namespace

TEST_CASE("originated_mail_for_a_mailbox_here_is_one_copy_in_it_at_once") {
  House house;
  const auto id = house.originate(house.to({"ann@acme.example"}));
  const auto mail = house.mail(house.ann);
  REQUIRE(mail.size() == 1);
  CHECK(mail[0].text.starts_with("Return-Path: <no-reply@acme.example>\r\n"));
  check_fields(mail[0].text, id);
  CHECK(message::split_header(mail[0].text).body == "https://acme.example/s/0123456789\r\n");
  CHECK(message::encode_index(mail[0].index) ==
        message::encode_index(message::make_index(mail[0].text)));
  CHECK(house.queued(Lane::auth).empty());
  const auto events = house.events_in(house.files->mail(house.acme.shard));
  REQUIRE(events.size() == 2);
  CHECK(events[0].kind == queue::EventKind::accepted);
  CHECK(events[1].kind == queue::EventKind::delivered);
  for (const auto& event : events) {
    CHECK(event.message == id);
    CHECK(event.tenant == house.acme.id);
    CHECK(event.stream == "account");
    CHECK(event.lane == Lane::auth);
  }
}

TEST_CASE("originated_mail_for_another_server_waits_in_its_lane_with_its_deadline") {
  House house;
  const auto id = house.originate(house.to({"joe@remote.example"}));
  CHECK(house.queued().empty());
  const auto queued = house.queued(Lane::auth);
  REQUIRE(queued.size() == 1);
  const auto& envelope = queued[0]->envelope;
  CHECK(envelope.tenant == house.platform.id);
  CHECK(envelope.id == id);
  CHECK(envelope.return_path == "no-reply@acme.example");
  CHECK(envelope.deadline == house.world.clock.now() + 10min);
  CHECK(envelope.stream == "account");
  CHECK(envelope.origin == "server");
  CHECK(envelope.submitter.empty());
  CHECK(envelope.ret == queue::Ret::headers);
  CHECK(envelope.utf8 == queue::Utf8::not_needed);
  REQUIRE(queued[0]->recipients.size() == 1);
  CHECK(queued[0]->recipients[0].address == "joe@remote.example");
  CHECK(queued[0]->recipients[0].transport == queue::Transport::remote);
  CHECK(queued[0]->recipients[0].notify.bits == queue::Notify::kNever);
  const auto text = house.text_of(queued[0]);
  check_fields(text, id);
  CHECK(house.verify(text).empty());  // no keys, no signature
  const auto events = house.events_in(house.files->queue());
  REQUIRE(events.size() == 1);
  CHECK(events[0].kind == queue::EventKind::accepted);
  CHECK(events[0].tenant == house.platform.id);
  CHECK(events[0].message == id);
}

TEST_CASE("originated_mail_is_signed_by_the_nearest_hosted_domain_whoever_holds_it") {
  House house;
  house.add_signing_key(house.acme.id, "acme.example");
  auto origination = house.to({"joe@remote.example"});
  SECTION("the domain itself") {}
  SECTION("a domain above") { origination.message.from[0].address = "no-reply@a.b.acme.example"; }
  house.originate(std::move(origination));
  const auto text = house.text_of(house.queued(Lane::auth).at(0));
  const auto results = house.verify(text);
  REQUIRE(results.size() == 1);
  CHECK(results[0].result == dkim::Verdict::pass);
  CHECK_THAT(text, Catch::Contains("d=acme.example"));
}

TEST_CASE("originated_mail_of_a_domain_that_is_not_here_leaves_unsigned") {
  House house;
  house.add_signing_key(house.acme.id, "acme.example");
  auto origination = house.to({"joe@remote.example"});
  origination.message.from[0].address = "no-reply@elsewhere.example";
  house.originate(std::move(origination));
  CHECK(house.verify(house.text_of(house.queued(Lane::auth).at(0))).empty());
}

TEST_CASE("originated_mail_for_two_tenants_and_another_server_is_one_entry") {
  House house;
  auto origination = house.to({"ann@acme.example", "joe@remote.example"});
  origination.message.cc.push_back({{}, "eve@other.example"});
  house.originate(std::move(origination));
  const auto queued = house.queued(Lane::auth);
  REQUIRE(queued.size() == 1);
  CHECK(queued[0]->envelope.tenant == house.platform.id);
  CHECK(queued[0]->recipients.size() == 3);
  // A policy that the unsigned message fails: what the server wrote itself isn't judged by it.
  house.dns.add_txt("_dmarc.acme.example", "v=DMARC1; p=quarantine");
  house.deliver_locally(queued[0]);
  for (const auto& account : {house.ann, house.eve}) {
    CHECK(house.mail(account).size() == 1);
    CHECK(house.mail(account, "Junk").empty());
  }
}

TEST_CASE("originated_mail_is_dropped_at_its_deadline_and_tried_before_it") {
  House house;
  house.originate(house.to({"joe@remote.example"}));
  const auto tries = [&] { return house.dns.queries("remote.example", dns::Type::mx); };
  SECTION("at the deadline") {
    house.world.clock.advance(10min);
    house.runtime.start();
    house.delivery.start();
    CHECK(test::eventually([&] { return house.queued(Lane::auth).empty(); }));
    CHECK(tries() == 0);
  }
  SECTION("right before it") {
    house.world.clock.advance(10min - 1us);
    house.dns.set_default_status(dns::Status::temporary);
    house.runtime.start();
    house.delivery.start();
    CHECK(test::eventually([&] { return tries() > 0; }));
  }
  house.delivery.drain(5s);
  house.runtime.stop();
  CHECK(house.queued().empty());  // nobody is told: NOTIFY=NEVER
}

TEST_CASE("originated_mail_whose_deadline_has_come_is_refused") {
  House house;
  for (const auto& address : {"ann@acme.example", "joe@remote.example"}) {
    auto origination = house.to({address});
    origination.deadline = house.world.clock.now();
    const auto refused = house.try_originate(origination);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::timeout);
    origination.deadline = house.world.clock.now() + 1us;
    CHECK(house.try_originate(origination));
  }
  CHECK(house.mail(house.ann).size() == 1);
  CHECK(house.queued(Lane::auth).size() == 1);
}

TEST_CASE("originated_mail_may_have_the_null_return_path_and_no_deadline") {
  House house;
  auto origination = house.to({"joe@remote.example"});
  origination.return_path.clear();
  origination.deadline.reset();
  house.originate(std::move(origination));
  const auto queued = house.queued(Lane::auth);
  REQUIRE(queued.size() == 1);
  CHECK(queued[0]->envelope.return_path.empty());
  CHECK_FALSE(queued[0]->envelope.deadline);
}

TEST_CASE("originated_mail_to_a_utf8_address_needs_smtputf8") {
  House house;
  house.originate(house.to({"jos\xc3\xa9@remote.example"}));
  CHECK(house.queued(Lane::auth).at(0)->envelope.utf8 == queue::Utf8::needed);
}

TEST_CASE("origination_with_what_is_no_address_is_refused") {
  House house;
  const auto refusal = [&](auto change) {
    auto origination = house.to({"joe@remote.example"});
    change(origination);
    const auto refused = house.try_originate(std::move(origination));
    REQUIRE_FALSE(refused);
    return refused.error().code;
  };
  for (const auto* bad : {"", "joe", "joe@", "joe@remote.example\r\nBcc: eve@other.example",
                          "joe@remote.example, eve@other.example", "<joe@remote.example>"}) {
    CAPTURE(bad);
    CHECK(refusal([&](Origination& o) { o.message.to[0].address = bad; }) == Errc::invalid);
    CHECK(refusal([&](Origination& o) { o.message.cc.push_back({{}, bad}); }) == Errc::invalid);
    CHECK(refusal([&](Origination& o) { o.message.from[0].address = bad; }) == Errc::invalid);
    if (*bad != '\0') CHECK(refusal([&](Origination& o) { o.return_path = bad; }) == Errc::invalid);
  }
  CHECK(refusal([](Origination& o) { o.message.to.clear(); }) == Errc::invalid);
  CHECK(refusal([](Origination& o) { o.message.from.clear(); }) == Errc::invalid);
  CHECK(refusal([](Origination& o) { o.message.from.push_back(o.message.from[0]); }) ==
        Errc::invalid);
  CHECK(house.queued(Lane::auth).empty());
}

TEST_CASE("origination_has_as_many_recipients_as_the_queue_takes") {
  House house;
  auto origination = house.to({});
  for (std::size_t i = 0; i < queue::kMaxRecipients; ++i)
    origination.message.to.push_back({{}, "joe@remote.example"});
  CHECK(house.try_originate(origination));
  origination.message.cc.push_back({{}, "joe@remote.example"});
  const auto refused = house.try_originate(origination);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::too_large);
  CHECK(house.queued(Lane::auth).size() == 1);
}

TEST_CASE("subject_of_an_originated_mail_adds_no_field") {
  House house;
  auto origination = house.to({"ann@acme.example"});
  origination.message.subject = "Sign in\r\nBcc: eve@other.example\r\n\r\nbody";
  house.originate(std::move(origination));
  const auto mail = house.mail(house.ann);
  REQUIRE(mail.size() == 1);
  const auto header = message::HeaderBlock::parse(mail[0].text);
  CHECK(header.count("Bcc") == 0);
  CHECK(header.count("MIME-Version") == 1);
}

TEST_CASE("originated_mail_without_room_for_it_says_so") {
  House house;
  house.environment.staging.emplace(house.workers, house.world.directory.file("nowhere"));
  auto origination = house.to({"joe@remote.example"});
  origination.message.text = std::string(2 * storage::kStageThreshold, 'x');
  const auto refused = house.try_originate(std::move(origination));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::temporary);
}
