#include "smtp/delivery/client_fsm.hpp"

#include <catch2/catch.hpp>
#include <functional>

using namespace postern;
using namespace postern::smtp;
using namespace postern::smtp::delivery;
using Kind = queue::AttemptResult::Kind;
using Do = ClientFsm::Do;

namespace {
std::shared_ptr<queue::QueuedMessage> message(std::size_t recipients) {
  auto m = std::make_shared<queue::QueuedMessage>();
  m->envelope.return_path = "s@our.example";
  m->envelope.size = 100;
  for (std::uint32_t i = 0; i < recipients; ++i) {
    queue::Recipient r;
    r.number = i + 10;
    r.address = "r" + std::to_string(i) + "@b.example";
    m->recipients.push_back(r);
  }
  return m;
}

/// Plays a server from a script: each element is what it says at the next read.
struct Play {
  ClientFsm fsm;
  std::string sent;  ///< all the client wrote; "<TLS>" and "<BODY>" where those happened
  std::size_t at = 0;
  std::vector<std::string> script;
  std::optional<std::size_t> break_at;  ///< the connection ends instead of this read

  explicit Play(std::vector<std::string> lines, TlsPolicy tls = TlsPolicy::opportunistic)
      : fsm({.hostname = "h.example", .tls = tls, .peer = "mx.b.example"}),
        script(std::move(lines)) {}

  Do run() {
    for (int steps = 0; steps < 1000; ++steps) {
      const auto action = fsm.next();
      switch (action.what) {
        case Do::send: sent += action.bytes; break;
        case Do::read:
          if (at >= script.size() || at == break_at) {
            fsm.eof("gone");
          } else {
            fsm.feed(script[at++]);
          }
          break;
        case Do::start_tls:
          sent += "<TLS>";
          fsm.tls_started();
          break;
        case Do::send_body:
          sent += "<BODY>";
          fsm.body_sent();
          break;
        default: return action.what;
      }
    }
    FAIL("the conversation doesn't end");
    return Do::close;
  }
  TransactionResult transact(std::shared_ptr<queue::QueuedMessage> m) {
    fsm.begin({m, m->recipients});
    run();
    auto result = fsm.take_result();
    REQUIRE(result);
    REQUIRE(result->recipients.size() == m->recipients.size());
    for (std::size_t i = 0; i < m->recipients.size(); ++i)
      CHECK(result->recipients[i].recipient == m->recipients[i].number);
    return *result;
  }
};

const std::string kPlain = "250-mx\r\n250 SIZE\r\n";
const std::string kPipe =
    "250-mx\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-DSN\r\n250 SIZE 1000\r\n";
}  // namespace

TEST_CASE("plain_conversation_goes_step_by_step") {
  Play p({"220 mx\r\n", kPlain, "250 ok\r\n", "250 ok\r\n", "354 go\r\n", "250 2.0.0 queued\r\n",
          "221 bye\r\n"});
  REQUIRE(p.run() == Do::idle);
  const auto result = p.transact(message(1));
  CHECK(result.recipients[0].kind == Kind::delivered);
  CHECK(result.recipients[0].remote_mta == "mx.b.example");
  CHECK(p.sent ==
        "EHLO h.example\r\nMAIL FROM:<s@our.example> SIZE=100\r\nRCPT "
        "TO:<r0@b.example>\r\nDATA\r\n<BODY>");
  p.fsm.quit();
  CHECK(p.run() == Do::close);
  CHECK_FALSE(p.fsm.error());
}

TEST_CASE("pipelined_group_is_sent_at_once") {
  Play p({"220 mx\r\n", kPipe, "250 ok\r\n250 ok\r\n550 5.1.1 no\r\n354 go\r\n", "250 ok\r\n"});
  REQUIRE(p.run() == Do::idle);
  p.sent.clear();
  auto m = message(2);
  const auto result = p.transact(m);
  CHECK(p.sent ==
        "MAIL FROM:<s@our.example> SIZE=100\r\nRCPT TO:<r0@b.example>\r\nRCPT "
        "TO:<r1@b.example>\r\nDATA\r\n<BODY>");
  CHECK(result.recipients[0].kind == Kind::delivered);
  CHECK(result.recipients[0].peer_reports == queue::AttemptResult::Reports::yes);
  CHECK(result.recipients[1].kind == Kind::failed);
  CHECK(result.recipients[1].reply.enhanced == queue::EnhancedCode{5, 1, 1});
}

TEST_CASE("pipelined_conversation_byte_by_byte") {
  std::vector<std::string> bytes;
  for (const std::string& part :
       {std::string("220 mx\r\n"), kPipe, std::string("250 ok\r\n250 ok\r\n354 go\r\n"),
        std::string("250 ok\r\n")}) {
    for (const char c : part) bytes.emplace_back(1, c);
  }
  Play p(bytes);
  REQUIRE(p.run() == Do::idle);
  CHECK(p.transact(message(1)).recipients[0].kind == Kind::delivered);
}

TEST_CASE("connection_lost_at_each_step_defers_every_recipient") {
  const std::vector<std::string> script{"220 mx\r\n", kPlain,       "250 ok\r\n", "250 ok\r\n",
                                        "250 ok\r\n", "354 go\r\n", "250 ok\r\n"};
  for (std::size_t step = 0; step < script.size(); ++step) {
    Play p(script);
    p.break_at = step;
    const auto hello = p.run();
    if (step < 2) {
      CHECK(hello == Do::close);
      REQUIRE(p.fsm.error());
      CHECK(p.fsm.error()->temporary());
      continue;
    }
    const auto result = p.transact(message(2));
    for (const auto& r : result.recipients) {
      CHECK(r.kind == Kind::deferred);
      CHECK(r.remote_mta.empty());
    }
    CHECK(p.fsm.next().what == Do::close);
    CHECK(p.fsm.heard_in_transaction() == (step > 2));
  }
}

TEST_CASE("error_reply_at_each_step_has_its_outcome") {
  for (const int code : {421, 451, 550}) {
    for (std::size_t step = 2; step < 6; ++step) {
      std::vector<std::string> script{"220 mx\r\n", kPlain,       "250 ok\r\n",
                                      "250 ok\r\n", "354 go\r\n", "250 ok\r\n"};
      script[step] = std::to_string(code) + " no\r\n";
      Play p(script);
      REQUIRE(p.run() == Do::idle);
      const auto result = p.transact(message(1));
      CHECK(result.recipients[0].kind == (code == 550 ? Kind::failed : Kind::deferred));
      CHECK(result.recipients[0].reply.code == code);
      CHECK(p.fsm.next().what == (code == 421 ? Do::close : Do::idle));
    }
  }
}

TEST_CASE("greeting_that_refuses_closes") {
  Play p({"554 go away\r\n"});
  CHECK(p.run() == Do::close);
  CHECK(p.fsm.error()->code == 554);
  CHECK(p.sent.empty());
}

TEST_CASE("server_without_ehlo_gets_helo") {
  Play p({"220 mx\r\n", "502 what\r\n", "250 hello\r\n", "250 ok\r\n", "250 ok\r\n", "354 go\r\n",
          "250 ok\r\n"});
  REQUIRE(p.run() == Do::idle);
  CHECK(p.transact(message(1)).recipients[0].kind == Kind::delivered);
  CHECK(p.sent.find("EHLO h.example\r\nHELO h.example\r\nMAIL FROM:<s@our.example>\r\n") == 0);
}

TEST_CASE("starttls_is_used_when_offered_and_ehlo_repeated") {
  Play p({"220 mx\r\n", "250-mx\r\n250-SIZE\r\n250 STARTTLS\r\n", "220 go\r\n", "250 mx\r\n",
          "250 ok\r\n", "250 ok\r\n", "354 go\r\n", "250 ok\r\n"});
  REQUIRE(p.run() == Do::idle);
  CHECK(p.sent == "EHLO h.example\r\nSTARTTLS\r\n<TLS>EHLO h.example\r\n");
  p.sent.clear();
  p.transact(message(1));
  CHECK(p.sent.find("SIZE=") == std::string::npos);  // said before TLS: void
}

TEST_CASE("starttls_policies") {
  SECTION("never: not asked for") {
    Play p({"220 mx\r\n", "250-mx\r\n250 STARTTLS\r\n"}, TlsPolicy::never);
    CHECK(p.run() == Do::idle);
    CHECK(p.sent == "EHLO h.example\r\n");
  }
  SECTION("required and not offered") {
    Play p({"220 mx\r\n", kPlain}, TlsPolicy::required);
    CHECK(p.run() == Do::close);
    CHECK(p.fsm.error()->enhanced == queue::EnhancedCode{4, 7, 4});
  }
  SECTION("refused: opportunistic goes on in clear") {
    Play p({"220 mx\r\n", "250-mx\r\n250 STARTTLS\r\n", "454 not now\r\n"});
    CHECK(p.run() == Do::idle);
  }
  SECTION("refused: required gives up") {
    Play p({"220 mx\r\n", "250-mx\r\n250 STARTTLS\r\n", "454 not now\r\n"}, TlsPolicy::required);
    CHECK(p.run() == Do::close);
  }
}

TEST_CASE("bytes_behind_the_starttls_reply_are_an_attack") {
  Play p({"220 mx\r\n", "250-mx\r\n250 STARTTLS\r\n", "220 go\r\n250 injected\r\n"});
  CHECK(p.run() == Do::close);
  CHECK(p.fsm.tls_failed());  // no TLS with this peer: as when the handshake fails
  CHECK(p.sent.find("<TLS>") == std::string::npos);
}

TEST_CASE("all_recipients_refused_sends_no_body_and_resets_next_time") {
  SECTION("without pipelining") {
    Play p({"220 mx\r\n", kPlain, "250 ok\r\n", "550 no\r\n", "250 reset\r\n", "250 ok\r\n",
            "250 ok\r\n", "354 go\r\n", "250 ok\r\n"});
    REQUIRE(p.run() == Do::idle);
    CHECK(p.transact(message(1)).recipients[0].kind == Kind::failed);
    CHECK(p.sent.find("DATA") == std::string::npos);
    p.sent.clear();
    CHECK(p.transact(message(1)).recipients[0].kind == Kind::delivered);
    CHECK(p.sent.starts_with("RSET\r\nMAIL"));
  }
  SECTION("pipelined, and the server accepts DATA all the same") {
    Play p({"220 mx\r\n", kPipe, "250 ok\r\n550 no\r\n354 go\r\n", "554 no valid recipients\r\n"});
    REQUIRE(p.run() == Do::idle);
    CHECK(p.transact(message(1)).recipients[0].reply.code == 550);
    CHECK(p.sent.ends_with("DATA\r\n.\r\n"));
    CHECK(p.sent.find("<BODY>") == std::string::npos);
  }
  SECTION("pipelined, DATA refused") {
    Play p({"220 mx\r\n", kPipe, "250 ok\r\n550 no\r\n503 no recipients\r\n"});
    REQUIRE(p.run() == Do::idle);
    CHECK(p.transact(message(1)).recipients[0].reply.code == 550);
  }
}

TEST_CASE("refused_mail_settles_all_with_its_reply") {
  Play p({"220 mx\r\n", kPipe, "550 5.7.1 not you\r\n503 a\r\n503 b\r\n503 c\r\n",
          "250 ok\r\n250 ok\r\n354 go\r\n", "250 ok\r\n"});
  REQUIRE(p.run() == Do::idle);
  for (const auto& r : p.transact(message(2)).recipients) CHECK(r.reply.code == 550);
  CHECK(p.transact(message(1)).recipients[0].kind == Kind::delivered);
}

TEST_CASE("too_many_recipients_postpones_the_rest") {
  for (const auto* reply : {"452 too many", "552 too many", "552 5.5.3 too many"}) {
    Play p({"220 mx\r\n", kPlain, "250 ok\r\n", "250 ok\r\n", std::string(reply) + "\r\n",
            "354 go\r\n", "250 ok\r\n"});
    REQUIRE(p.run() == Do::idle);
    const auto result = p.transact(message(2));
    CHECK(result.recipients[0].kind == Kind::delivered);
    CHECK(result.recipients[1].kind == Kind::postponed);
  }
  Play full({"220 mx\r\n", kPlain, "250 ok\r\n", "552 5.2.2 mailbox full\r\n"});
  REQUIRE(full.run() == Do::idle);
  CHECK(full.transact(message(1)).recipients[0].kind == Kind::failed);
  Play first({"220 mx\r\n", kPlain, "250 ok\r\n", "452 no space\r\n"});
  REQUIRE(first.run() == Do::idle);
  CHECK(first.transact(message(1)).recipients[0].kind == Kind::deferred);
}

TEST_CASE("stated_recipient_limit_is_kept") {
  Play p({"220 mx\r\n", "250-mx\r\n250-PIPELINING\r\n250 LIMITS RCPTMAX=2\r\n",
          "250 a\r\n250 b\r\n250 c\r\n354 d\r\n", "250 ok\r\n"});
  REQUIRE(p.run() == Do::idle);
  const auto result = p.transact(message(3));
  CHECK(result.recipients[1].kind == Kind::delivered);
  CHECK(result.recipients[2].kind == Kind::postponed);
  CHECK(p.sent.find("r2@") == std::string::npos);
}

TEST_CASE("missing_extensions_fail_the_message_without_asking") {
  struct Row {
    std::function<void(queue::Envelope&)> needs;
    queue::EnhancedCode expected;
  };
  const std::vector<Row> table{
      {[](auto& e) { e.utf8 = queue::Utf8::needed; }, {5, 6, 7}},
      {[](auto& e) { e.body_type = queue::BodyType::eight_bit; }, {5, 6, 3}},
      {[](auto& e) { e.size = 1001; }, {5, 3, 4}},
  };
  for (const auto& row : table) {
    Play p({"220 mx\r\n", "250-mx\r\n250 SIZE 1000\r\n", "250 ok\r\n", "250 ok\r\n", "354 go\r\n",
            "250 ok\r\n"});
    REQUIRE(p.run() == Do::idle);
    auto m = message(1);
    row.needs(m->envelope);
    const auto result = p.transact(m);
    CHECK(result.recipients[0].kind == Kind::failed);
    CHECK(result.recipients[0].reply.enhanced == row.expected);
    CHECK(result.recipients[0].remote_mta.empty());
    CHECK(p.transact(message(1)).recipients[0].kind ==
          Kind::delivered);  // the connection is still good
  }
}

TEST_CASE("dsn_parameters_go_only_to_who_offers_dsn") {
  auto m = message(1);
  m->envelope.ret = queue::Ret::headers;
  m->envelope.envelope_id = "a+b";
  m->envelope.body_type = queue::BodyType::eight_bit;
  m->recipients[0].notify.bits = queue::Notify::kSuccess | queue::Notify::kFailure;
  m->recipients[0].original = "rfc822;Orig+x@b.example";
  Play p({"220 mx\r\n", kPipe, "250 ok\r\n250 ok\r\n354 go\r\n", "250 ok\r\n"});
  REQUIRE(p.run() == Do::idle);
  p.transact(m);
  CHECK(p.sent.find("MAIL FROM:<s@our.example> SIZE=100 BODY=8BITMIME RET=HDRS ENVID=a+2Bb\r\n") !=
        std::string::npos);
  CHECK(p.sent.find(
            "RCPT TO:<r0@b.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;Orig+2Bx@b.example\r\n") !=
        std::string::npos);
  m->envelope.body_type = queue::BodyType::seven_bit;
  Play without({"220 mx\r\n", kPlain, "250 ok\r\n", "250 ok\r\n", "354 go\r\n", "250 ok\r\n"});
  REQUIRE(without.run() == Do::idle);
  CHECK(without.transact(m).recipients[0].peer_reports == queue::AttemptResult::Reports::no);
  CHECK(without.sent.find("RCPT TO:<r0@b.example>\r\n") != std::string::npos);
  CHECK(without.sent.find("ENVID") == std::string::npos);
}

TEST_CASE("null_return_path_is_sent_empty") {
  Play p({"220 mx\r\n", kPlain, "250 ok\r\n", "250 ok\r\n", "354 go\r\n", "250 ok\r\n"});
  REQUIRE(p.run() == Do::idle);
  auto m = message(1);
  m->envelope.return_path.clear();
  p.transact(m);
  CHECK(p.sent.find("MAIL FROM:<>") != std::string::npos);
}

TEST_CASE("nonsense_replies_defer_and_close") {
  const std::vector<std::vector<std::string>> scripts{
      {"220 mx\r\n", kPlain, "354 what\r\n"},
      {"220 mx\r\n", kPlain, "250 ok\r\n", "354 what\r\n"},
      {"220 mx\r\n", kPlain, "250 ok\r\n", "250 ok\r\n", "250 no body?\r\n"},
      {"220 mx\r\n", kPlain, "250 ok\r\n", "250 ok\r\n", "354 go\r\n", "354 again\r\n"},
      {"220 mx\r\n", kPlain, "250 ok\r\n", "garbage\r\n"},
      {"220 mx\r\n", kPlain, "250 ok\r\n250 unasked\r\n", "250 ok\r\n", "garbage\r\n"},
      {"220 mx\r\n", kPlain, "250 ok\r\n", "250 ok\r\n", "354 go\r\n250 early\r\n"},
  };
  for (const auto& script : scripts) {
    Play p(script);
    REQUIRE(p.run() == Do::idle);
    CHECK(p.transact(message(1)).recipients[0].kind == Kind::deferred);
    CHECK(p.fsm.next().what == Do::close);
  }
}

TEST_CASE("long_recipient_lists_go_in_several_groups") {
  auto m = message(400);
  Play p({"220 mx\r\n", kPipe});
  REQUIRE(p.run() == Do::idle);
  p.fsm.begin({m, m->recipients});
  std::string group;
  std::size_t groups = 0;
  for (auto action = p.fsm.next(); action.what != Do::send_body; action = p.fsm.next()) {
    if (action.what == Do::send) {
      CHECK(action.bytes.size() < 16 * 1024);
      group = action.bytes;
      ++groups;
      continue;
    }
    REQUIRE(action.what == Do::read);
    REQUIRE_FALSE(group.empty());
    std::string replies;
    for (std::size_t at = 0; at < group.size(); at = group.find('\n', at) + 1) {
      replies += group.compare(at, 4, "DATA") == 0 ? "354 go\r\n" : "250 ok\r\n";
    }
    group.clear();
    p.fsm.feed(replies);
  }
  CHECK(groups > 1);
}
