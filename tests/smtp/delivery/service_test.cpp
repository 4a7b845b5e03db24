#include <catch2/catch.hpp>

#include "tests/smtp/delivery/service_fixture.hpp"

using namespace postern;
using namespace postern::test;
using namespace std::chrono_literals;

TEST_CASE("message_goes_to_the_mx_and_leaves_the_queue") {
  SmtpSink sink({});
  ServiceFixture f(sink.port());
  f.start();
  const auto id = f.send(f.queue.message({"r@b.example"}, "Subject: x\r\n\r\n.dot\r\n"));
  REQUIRE(f.finished(id));
  REQUIRE(sink.mails().size() == 1);
  CHECK(sink.mails()[0].from == "sender@our.example");
  CHECK(sink.mails()[0].recipients == std::vector<std::string>{"r@b.example"});
  CHECK(sink.mails()[0].body == "Subject: x\r\n\r\n..dot\r\n");
  CHECK(eventually([&] { return f.local.count(q::EventKind::delivered) == 1; }));
  CHECK(f.queue.bodies() == 0);
  CHECK(f.stop());
}

TEST_CASE("message_found_in_the_table_alone_is_sent") {
  SmtpSink sink({});
  ServiceFixture f(sink.port());
  const auto before = f.queue.message({"r@b.example"});
  f.queue.put(before);  // and the server died before it was tried
  f.queue.reopen();
  f.start();
  REQUIRE(f.finished(before.envelope.id));
  CHECK(sink.mails().size() == 1);
}

TEST_CASE("message_that_the_schedule_delivered_before_its_handover_is_not_sent_again") {
  SmtpSink sink({});
  ServiceFixture f(sink.port());
  f.start();
  const auto message = f.queue.message({"r@b.example"});
  const auto ticket = f.service->ticket();
  f.queue.put(message);  // and the thread that accepted it is late
  f.queue.clock.advance(1s);
  REQUIRE(f.finished(message.envelope.id));
  f.service->offer(std::make_shared<const q::QueuedMessage>(q::as_queued(message)), ticket);
  // Jobs to one destination keep their order: when this one is through, so would a second copy be.
  REQUIRE(f.finished(f.send(f.queue.message({"r@b.example"}))));
  CHECK(f.stop());
  CHECK(sink.mails().size() == 2);
}

TEST_CASE("large_body_arrives_whole") {
  SmtpSink sink({});
  ServiceFixture f(sink.port());
  f.start();
  std::string text = "Subject: big\r\n\r\n";
  for (int i = 0; text.size() < 700'000; ++i)
    text += "line " + std::to_string(i) + " of a long message\r\n";
  const auto message = f.queue.message({"r@b.example"}, text);
  SECTION("from memory") { f.send(message); }
  SECTION("from the database") {
    f.settings.fresh_bytes = 0;
    f.stop();
    f.start();
    f.send(message);
  }
  REQUIRE(f.finished(message.envelope.id));
  REQUIRE(sink.mails().size() == 1);
  CHECK(sink.mails()[0].body == text);
}

TEST_CASE("connection_is_used_again_for_the_next_message") {
  SmtpSink sink({});
  ServiceFixture f(sink.port());
  f.start();
  for (int i = 0; i < 5; ++i) {
    const auto id = f.send(f.queue.message({"r@b.example"}));
    REQUIRE(f.finished(id));
    REQUIRE(eventually([&] { return f.service->in_flight() == 0; }));
  }
  CHECK(sink.mails().size() == 5);
  CHECK(sink.connections() == 1);
}

TEST_CASE("connection_that_died_while_idle_costs_nothing") {
  SmtpSink::Script script;
  script.hang_up = [](const std::string& line, int connection) {
    return connection == 1 && line.starts_with("MAIL") && line.find("second") != std::string::npos;
  };
  SmtpSink sink(script);
  ServiceFixture f(sink.port());
  f.start();
  REQUIRE(f.finished(f.send(f.queue.message({"r@b.example"}))));
  REQUIRE(eventually([&] { return f.service->in_flight() == 0; }));
  auto second = f.queue.message({"r@b.example"});
  second.envelope.return_path = "second@our.example";
  REQUIRE(f.finished(f.send(second)));
  CHECK(sink.connections() == 2);
  CHECK(f.local.count(q::EventKind::deferred) == 0);
}

TEST_CASE("tls_is_used_when_offered") {
  const auto made = tls::make_self_signed("mx.b.example");
  REQUIRE(made);
  TempDirectory directory;
  SmtpSink::Script script;
  script.tls = SmtpSink::Tls::good;
  script.context = *tls::Context::make_server(directory.write("c.pem", made->certificate_pem),
                                              directory.write("k.pem", made->key_pem));
  SmtpSink sink(script);
  ServiceFixture f(sink.port());
  f.start();
  REQUIRE(f.finished(f.send(f.queue.message({"r@b.example"}))));
  CHECK(sink.mails().at(0).tls);
}

TEST_CASE("failed_handshake_is_followed_by_a_try_in_clear") {
  SmtpSink::Script script;
  script.tls = SmtpSink::Tls::broken;
  SmtpSink sink(script);
  ServiceFixture f(sink.port());
  SECTION("opportunistic") {
    f.start();
    REQUIRE(f.finished(f.send(f.queue.message({"r@b.example"}))));
    CHECK(sink.connections() == 2);
    CHECK_FALSE(sink.mails().at(0).tls);
  }
  SECTION("required: it waits instead") {
    f.settings.tls = d::TlsPolicy::required;
    f.start();
    f.send(f.queue.message({"r@b.example"}));
    CHECK(eventually([&] { return f.local.count(q::EventKind::deferred) == 1; }));
    CHECK(sink.mails().empty());
  }
}

TEST_CASE("refused_recipient_gets_a_report_and_the_other_its_mail") {
  SmtpSink::Script script;
  script.rcpt = [](const std::string& to) {
    return to.starts_with("bad") ? "550 5.1.1 nobody here" : "250 ok";
  };
  SmtpSink sink(script);
  ServiceFixture f(sink.port());
  f.start();
  const auto id =
      f.send(f.queue.message({"bad@b.example", "good@b.example"}, "Subject: orig\r\n\r\nx\r\n"));
  REQUIRE(f.finished(id));
  CHECK(sink.mails().at(0).recipients == std::vector<std::string>{"good@b.example"});
  REQUIRE(eventually([&] { return f.local.mailbox("sender@our.example").size() == 1; }));
  const auto parsed = message::parse_dsn(f.local.mailbox("sender@our.example")[0]);
  REQUIRE(parsed);
  REQUIRE(parsed->report.recipients.size() == 1);
  CHECK(parsed->report.recipients[0].final_recipient == "bad@b.example");
  CHECK(parsed->report.recipients[0].status == "5.1.1");
  CHECK(parsed->original_header.find("Subject: orig") != std::string::npos);
  CHECK(eventually([&] { return f.local.count(q::EventKind::bounced) == 1; }));
  CHECK(eventually([&] { return f.queue.due().empty(); }));
}

TEST_CASE("bounce_of_a_report_makes_no_report") {
  SmtpSink::Script script;
  script.rcpt = [](const std::string&) { return "550 no"; };
  SmtpSink sink(script);
  ServiceFixture f(sink.port());
  f.start();
  auto m = f.queue.message({"bad@b.example"});
  m.envelope.return_path.clear();
  REQUIRE(f.finished(f.send(m)));
  CHECK(f.queue.due().empty());
  CHECK(f.stop());
  CHECK(f.local.mail.empty());
}

TEST_CASE("deferred_message_is_tried_again_when_due") {
  SmtpSink::Script script;
  auto calls = std::make_shared<std::atomic<int>>(0);
  script.data = [calls](const SmtpSink::Mail&) {
    return ++*calls == 1 ? "451 4.3.0 later" : "250 ok";
  };
  SmtpSink sink(script);
  ServiceFixture f(sink.port());
  f.start();
  const auto id = f.send(f.queue.message({"r@b.example"}));
  REQUIRE(eventually([&] { return f.local.count(q::EventKind::deferred) == 1; }));
  CHECK(f.queue.load(id)->recipients[0].last_reply.text == "later");
  CHECK(sink.mails().empty());
  f.queue.clock.advance(2min);
  REQUIRE(f.finished(id));
  CHECK(sink.mails().size() == 1);
}

TEST_CASE("connection_lost_after_the_body_is_tried_again") {
  SmtpSink::Script script;
  auto calls = std::make_shared<std::atomic<int>>(0);
  script.data = [calls](const SmtpSink::Mail&) { return ++*calls == 1 ? "" : "250 ok"; };
  SmtpSink sink(script);
  ServiceFixture f(sink.port());
  f.start();
  const auto id = f.send(f.queue.message({"r@b.example"}));
  REQUIRE(eventually([&] { return f.local.count(q::EventKind::deferred) == 1; }));
  f.queue.clock.advance(2min);
  REQUIRE(f.finished(id));
  CHECK(sink.mails().size() == 1);
}

TEST_CASE("unreachable_first_mx_is_followed_by_the_second") {
  SmtpSink sink({});
  ServiceFixture f(sink.port());
  f.dns.add_mx("c.example", 10, "dead.c.example");
  f.dns.add_a("dead.c.example", "127.0.0.2");  // nobody listens there
  f.dns.add_mx("c.example", 20, "mx.b.example");
  f.start();
  REQUIRE(f.finished(f.send(f.queue.message({"r@c.example"}))));
  CHECK(sink.mails().size() == 1);
}

TEST_CASE("greeting_with_5xx_is_no_verdict_on_the_message") {
  SmtpSink::Script script;
  script.greeting = "554 5.7.1 your address is listed";
  SmtpSink sink(script);
  ServiceFixture f(sink.port());
  f.start();
  const auto id = f.send(f.queue.message({"r@b.example"}));
  REQUIRE(eventually([&] { return f.local.count(q::EventKind::deferred) == 1; }));
  CHECK(f.queue.load(id)->recipients[0].last_reply.code == 554);
  CHECK(f.queue.load(id)->recipients[0].state == q::State::queued);
}

TEST_CASE("domain_that_does_not_exist_bounces_at_once") {
  SmtpSink sink({});
  ServiceFixture f(sink.port());
  f.start();
  REQUIRE(f.finished(f.send(f.queue.message({"r@nowhere.example"}))));
  REQUIRE(eventually([&] { return f.local.mailbox("sender@our.example").size() == 1; }));
  CHECK(message::parse_dsn(f.local.mailbox("sender@our.example")[0])
            ->report.recipients.at(0)
            .status == "5.1.2");
}

TEST_CASE("local_recipient_goes_through_the_local_transport") {
  SmtpSink sink({});
  ServiceFixture f(sink.port());
  f.start();
  auto m = f.queue.message({"me@our.example"}, "Subject: in\r\n\r\nhouse\r\n");
  m.recipients[0].transport = q::Transport::local;
  m.recipients[0].notify.bits = q::Notify::kSuccess;
  REQUIRE(f.finished(f.send(m)));
  CHECK(f.local.mailbox("me@our.example") ==
        std::vector<std::string>{"Subject: in\r\n\r\nhouse\r\n"});
  REQUIRE(eventually([&] { return f.local.mailbox("sender@our.example").size() == 1; }));
  CHECK(message::parse_dsn(f.local.mailbox("sender@our.example")[0])
            ->report.recipients.at(0)
            .action == message::DsnAction::delivered);
}

TEST_CASE("local_delivery_id_is_the_same_at_each_try") {
  SmtpSink sink({});
  ServiceFixture f(sink.port());
  f.local.reply = q::make_reply(451, {4, 2, 1}, "busy");
  f.start();
  auto m = f.queue.message({"me@our.example"});
  m.recipients[0].transport = q::Transport::local;
  const auto id = f.send(m);
  REQUIRE(eventually([&] { return f.local.count(q::EventKind::deferred) == 1; }));
  {
    std::scoped_lock lock(f.local.mutex);
    f.local.reply = q::make_reply(250, {}, "ok");
  }
  f.queue.clock.advance(2min);
  REQUIRE(f.finished(id));
  CHECK(f.local.ids == std::vector<DeliveryId>(2, q::delivery_id(id, 0)));
}

TEST_CASE("message_past_its_deadline_is_dropped_and_reported_not_sent") {
  SmtpSink sink({});
  ServiceFixture f(sink.port());
  auto m = f.queue.message({"r@b.example"});
  m.envelope.lane = Lane::auth;
  m.envelope.deadline = f.queue.clock.now() + 1min;
  f.queue.put(m);
  f.queue.clock.advance(1min);
  f.start();
  REQUIRE(f.finished(m.envelope.id));
  CHECK(eventually([&] { return f.local.count(q::EventKind::late) == 1; }));
  CHECK(sink.mails().empty());
  CHECK(eventually([&] { return f.local.mailbox("sender@our.example").size() == 1; }));
}

TEST_CASE("expired_message_is_reported") {
  SmtpSink::Script script;
  script.data = [](const SmtpSink::Mail&) { return "451 4.3.0 never"; };
  SmtpSink sink(script);
  ServiceFixture f(sink.port());
  f.start();
  const auto id = f.send(f.queue.message({"r@b.example"}));
  REQUIRE(eventually([&] { return f.local.count(q::EventKind::deferred) == 1; }));
  f.queue.clock.advance(std::chrono::days{5});
  REQUIRE(f.finished(id));
  CHECK(eventually([&] { return f.local.count(q::EventKind::expired) == 1; }));
  REQUIRE(eventually([&] { return f.local.mailbox("sender@our.example").size() == 1; }));
}

TEST_CASE("held_message_waits_for_release") {
  SmtpSink sink({});
  ServiceFixture f(sink.port());
  auto m = f.queue.message({"r@b.example"});
  f.queue.put(m);
  const q::Target target{f.queue.tenant, m.envelope.id, {}};
  f.queue.write([&](sql::Transaction& tx) { return q::hold(tx, target, f.queue.clock.now()); });
  f.start();
  REQUIRE(f.finished(f.send(f.queue.message({"other@b.example"}))));
  CHECK(sink.mails().size() == 1);
  f.queue.write([&](sql::Transaction& tx) { return q::release(tx, target, f.queue.clock.now()); });
  f.service->changed(m.envelope.id);
  REQUIRE(f.finished(m.envelope.id));
}

TEST_CASE("retry_now_does_not_wait_for_the_backoff") {
  SmtpSink::Script script;
  auto calls = std::make_shared<std::atomic<int>>(0);
  script.data = [calls](const SmtpSink::Mail&) { return ++*calls == 1 ? "451 later" : "250 ok"; };
  SmtpSink sink(script);
  ServiceFixture f(sink.port());
  f.start();
  const auto id = f.send(f.queue.message({"r@b.example"}));
  REQUIRE(eventually([&] { return f.local.count(q::EventKind::deferred) == 1; }));
  f.queue.write([&](sql::Transaction& tx) {
    return q::retry_now(tx, {f.queue.tenant, id, {}}, f.queue.clock.now());
  });
  f.service->changed(id);
  REQUIRE(f.finished(id));
}

TEST_CASE("many_messages_to_many_domains_arrive_once_each") {
  SmtpSink sink({});
  ServiceFixture f(sink.port());
  f.settings.scheduler.per_flow = 8;
  f.settings.scheduler.page = 16;
  f.settings.scheduler.loaded = 64;
  for (int i = 0; i < 7; ++i)
    f.dns.add_mx("d" + std::to_string(i) + ".example", 10, "mx.b.example");
  f.start();
  constexpr int count = 300;
  for (int i = 0; i < count; ++i) {
    f.send(f.queue.message({"r" + std::to_string(i) + "@d" + std::to_string(i % 7) + ".example"}));
  }
  REQUIRE(eventually([&] { return f.queue.due().empty() && f.service->in_flight() == 0; }, 30s));
  std::set<std::string> seen;
  for (const auto& mail : sink.mails()) CHECK(seen.insert(mail.recipients.at(0)).second);
  CHECK(seen.size() == count);
}

TEST_CASE("drain_finishes_what_is_under_way") {
  SmtpSink::Script script;
  script.data = [](const SmtpSink::Mail&) {
    std::this_thread::sleep_for(200ms);
    return "250 ok";
  };
  SmtpSink sink(script);
  ServiceFixture f(sink.port());
  f.start();
  const auto id = f.send(f.queue.message({"r@b.example"}));
  REQUIRE(eventually([&] { return f.service->in_flight() == 1; }));
  CHECK(f.stop());
  CHECK(sink.mails().size() == 1);
  CHECK_FALSE(f.queue.load(id));
}

TEST_CASE("drain_over_its_limit_leaves_the_message_queued") {
  SmtpSink::Script script;
  script.greeting = "220-never ending";
  SmtpSink sink(script);
  ServiceFixture f(sink.port());
  f.start();
  const auto id = f.send(f.queue.message({"r@b.example"}));
  REQUIRE(eventually([&] { return sink.connections() == 1; }));
  CHECK_FALSE(f.service->drain(50ms));
  f.end();
  CHECK(f.queue.load(id)->recipients[0].state == q::State::queued);
}

TEST_CASE("nothing_new_is_tried_below_the_disk_reserve") {
  SmtpSink sink({});
  ServiceFixture f(sink.port());
  f.below_reserve = true;
  f.start();
  const auto id = f.send(f.queue.message({"r@b.example"}));
  CHECK_FALSE(eventually([&] { return sink.connections() > 0; }, 100ms));
  f.below_reserve = false;
  CHECK(f.finished(id));
}
