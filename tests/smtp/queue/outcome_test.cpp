#include <catch2/catch.hpp>

#include "smtp/queue/event.hpp"
#include "smtp/queue/report.hpp"
#include "tests/support/fake_clock.hpp"

using namespace postern;
using namespace postern::smtp::queue;
using namespace std::chrono_literals;
using Kind = AttemptResult::Kind;
using message::DsnAction;

namespace {
struct Case {
  RetryPolicy policy;
  test::FakeClock clock;
  Envelope envelope;
  Recipient recipient;
  AttemptResult result;

  Case() {
    envelope.id = MessageId::make();
    envelope.return_path = "sender@our.example";
    envelope.created_at = clock.now();
    envelope.expires_at = clock.now() + policy.expiry;
    recipient.address = "a@b.example";
    result.reply = make_reply(451, {4, 7, 1}, "later");
    result.remote_mta = "mx.b.example";
  }
  Outcome decided(std::uint32_t dice = 1U << 31) {
    return decide(policy, envelope, recipient, result, clock.now(), dice);
  }
  std::optional<DsnAction> report() { return report_for(envelope, recipient, result, decided()); }
};
}  // namespace

TEST_CASE("backoff_follows_the_table_and_repeats_its_last_wait") {
  const RetryPolicy policy;
  const std::vector<std::chrono::seconds> expected{1min, 5min, 15min, 30min, 1h, 2h, 4h, 4h, 4h};
  for (std::uint32_t i = 0; i < expected.size(); ++i) {
    CHECK(backoff(policy, Lane::bulk, i + 1, 1U << 31) == expected[i]);
  }
  CHECK(backoff(policy, Lane::auth, 1, 1U << 31) == 10s);
}

TEST_CASE("backoff_jitter_stays_within_its_percentage") {
  const RetryPolicy policy;
  CHECK(backoff(policy, Lane::bulk, 1, 0) == 48s);
  const auto most = backoff(policy, Lane::bulk, 1, 0xffffffff);
  CHECK(most <= 72s);
  CHECK(most > 71s);
}

TEST_CASE("deferred_recipient_waits_and_counts_the_attempt") {
  Case c;
  const auto o = c.decided();
  CHECK(o.state == State::queued);
  CHECK(o.attempts == 1);
  CHECK(o.next_attempt == c.clock.now() + 1min);
}

TEST_CASE("postponed_recipient_counts_no_attempt") {
  Case c;
  c.result.kind = Kind::postponed;
  const auto o = c.decided();
  CHECK(o.state == State::queued);
  CHECK(o.attempts == 0);
  CHECK(o.next_attempt == c.clock.now() + c.policy.postponement);
}

TEST_CASE("last_try_is_at_expiry_and_a_failure_then_expires") {
  Case c;
  c.recipient.attempts = 20;
  c.clock.set(c.envelope.expires_at - 1min);
  CHECK(c.decided().next_attempt == c.envelope.expires_at);
  c.clock.set(c.envelope.expires_at - 1us);
  CHECK(c.decided().state == State::queued);
  c.clock.set(c.envelope.expires_at);
  CHECK(c.decided().state == State::expired);
  CHECK_FALSE(c.decided().next_attempt);
}

TEST_CASE("deadline_bounds_the_next_attempt_and_ends_the_recipient") {
  Case c;
  c.envelope.lane = Lane::auth;
  c.envelope.deadline = c.clock.now() + 5s;
  CHECK(c.decided().next_attempt == *c.envelope.deadline);
  c.clock.set(*c.envelope.deadline);
  CHECK(c.decided().state == State::expired);
  c.result.kind = Kind::late;
  CHECK(c.decided().state == State::expired);
}

// RFC 3461 §5.2: NOTIFY against what happened.
TEST_CASE("report_conditions_follow_notify") {
  const auto none = std::optional<DsnAction>();
  struct Row {
    std::uint8_t notify;
    Kind kind;
    std::optional<DsnAction> expected;
  };
  const std::vector<Row> rows{
      {0, Kind::delivered, none},
      {Notify::kNever, Kind::delivered, none},
      {Notify::kSuccess, Kind::delivered, DsnAction::relayed},
      {Notify::kFailure, Kind::delivered, none},
      {Notify::kDelay, Kind::delivered, none},
      {0, Kind::failed, DsnAction::failed},
      {Notify::kNever, Kind::failed, none},
      {Notify::kSuccess, Kind::failed, none},
      {Notify::kFailure, Kind::failed, DsnAction::failed},
      {Notify::kSuccess | Notify::kFailure, Kind::failed, DsnAction::failed},
      {Notify::kDelay, Kind::failed, none},
      {0, Kind::late, DsnAction::failed},
      {Notify::kNever, Kind::late, none},
  };
  for (const auto& row : rows) {
    Case c;
    c.recipient.notify.bits = row.notify;
    c.result.kind = row.kind;
    CHECK(c.report() == row.expected);
    c.envelope.return_path.clear();
    CHECK(c.report() == none);
  }
}

TEST_CASE("success_report_depends_on_transport_and_peer") {
  Case c;
  c.recipient.notify.bits = Notify::kSuccess;
  c.result.kind = Kind::delivered;
  CHECK(c.report() == DsnAction::relayed);
  c.result.peer_reports = AttemptResult::Reports::yes;
  CHECK_FALSE(c.report());
  c.recipient.transport = Transport::local;
  CHECK(c.report() == DsnAction::delivered);
}

TEST_CASE("delay_report_comes_once_after_the_warning_time") {
  Case c;
  CHECK_FALSE(c.report());
  c.clock.advance(c.policy.delay_warning - 1us);
  CHECK_FALSE(c.report());
  c.clock.advance(1us);
  CHECK(c.report() == DsnAction::delayed);
  c.recipient.notify.bits = Notify::kDelay;
  CHECK(c.report() == DsnAction::delayed);
  c.recipient.notify.bits = Notify::kFailure;
  CHECK_FALSE(c.report());
  c.recipient.notify.bits = 0;
  c.recipient.delay_reported = true;
  CHECK_FALSE(c.report());
}

TEST_CASE("report_message_holds_what_rfc3464_asks_for") {
  Case c;
  c.envelope.envelope_id = "ENV+1";
  c.envelope.lane = Lane::auth;
  c.recipient.original = "rfc822;orig@b.example";
  c.result.kind = Kind::failed;
  c.result.reply = make_reply(550, {5, 1, 1}, "no such user");
  const std::string original = "Subject: secret\r\nFrom: me@our.example\r\n\r\nthe body\r\n";
  c.envelope.size = original.size();
  const auto build = [&] {
    return make_report(c.envelope, {{c.recipient, c.decided(), DsnAction::failed}}, original,
                       "mx.our.example", Transport::local, c.clock.now(), c.policy.expiry);
  };
  const auto report = build();
  CHECK(report.message.envelope.return_path.empty());
  CHECK(report.message.envelope.lane == Lane::transactional);
  REQUIRE(report.message.recipients.size() == 1);
  CHECK(report.message.recipients[0].address == "sender@our.example");
  CHECK(report.message.recipients[0].notify.text() == "NEVER");
  CHECK(report.message.recipients[0].transport == Transport::local);
  CHECK(report.text.find("Message-ID: <" + report.message.envelope.id.text() +
                         "@mx.our.example>\r\n") != std::string::npos);
  const auto parsed = message::parse_dsn(report.text);
  REQUIRE(parsed);
  CHECK(parsed->report.reporting_mta == "mx.our.example");
  CHECK(parsed->report.envelope_id == "ENV+1");
  REQUIRE(parsed->report.recipients.size() == 1);
  const auto& r = parsed->report.recipients[0];
  CHECK(r.final_recipient == "a@b.example");
  CHECK(r.original_recipient == "rfc822;orig@b.example");
  CHECK(r.action == DsnAction::failed);
  CHECK(r.status == "5.1.1");
  CHECK(r.remote_mta == "mx.b.example");
  CHECK(r.diagnostic == "550 5.1.1 no such user");
  CHECK(report.text.find("Subject: secret") != std::string::npos);
  CHECK(report.text.find("the body") == std::string::npos);
  c.envelope.ret = Ret::full;
  CHECK(build().text.find("the body") != std::string::npos);
  c.envelope.size = kMaxReturnedMessage + 1;
  CHECK(build().text.find("the body") == std::string::npos);
}

TEST_CASE("expired_recipient_is_reported_with_4_4_7") {
  Case c;
  c.clock.set(c.envelope.expires_at);
  const auto report =
      make_report(c.envelope, {{c.recipient, c.decided(), DsnAction::failed}}, "S: x\r\n\r\n",
                  "h.example", Transport::remote, c.clock.now(), c.policy.expiry);
  const auto parsed = message::parse_dsn(report.text);
  REQUIRE(parsed);
  CHECK(parsed->report.recipients.at(0).status == "4.4.7");
}

TEST_CASE("bounces_are_classified_by_enhanced_code_first") {
  const std::vector<std::pair<Reply, BounceClass>> table{
      {make_reply(550, {5, 1, 1}, ""), BounceClass::bad_address},
      {make_reply(550, {5, 1, 2}, ""), BounceClass::bad_address},
      {make_reply(550, {5, 7, 1}, ""), BounceClass::policy},
      {make_reply(550, {5, 1, 8}, ""), BounceClass::policy},
      {make_reply(556, {5, 1, 10}, ""), BounceClass::unroutable},
      {make_reply(552, {5, 2, 2}, ""), BounceClass::mailbox_full},
      {make_reply(552, {5, 3, 4}, ""), BounceClass::too_large},
      {make_reply(554, {5, 6, 0}, ""), BounceClass::content},
      {make_reply(554, {5, 4, 6}, ""), BounceClass::unroutable},
      {make_reply(550, {}, ""), BounceClass::bad_address},
      {make_reply(554, {}, ""), BounceClass::policy},
      {make_reply(571, {}, ""), BounceClass::other},
  };
  for (const auto& [reply, expected] : table) CHECK(classify(reply) == expected);
}

TEST_CASE("enhanced_code_grammar") {
  for (const auto* good : {"2.0.0", "4.7.10", "5.999.999"})
    CHECK(parse_enhanced_code(good)->text() == good);
  for (const auto* bad :
       {"", "5", "5.1", "5.1.", "3.1.1", "5.1.1234", "5.1.1 ", "5..1", "55.1.1", "x.1.1"}) {
    CHECK_FALSE(parse_enhanced_code(bad));
  }
}
