#include "smtp/reception/trace_field.hpp"

#include <catch2/catch.hpp>

#include "tests/smtp/server/conversation_driver.hpp"

using namespace postern;
using namespace postern::smtp;
using namespace postern::smtp::reception;
using namespace postern::smtp::test;

namespace {

// 2026-11-22T02:51:36Z: a Sunday.
const Timestamp kTime{std::chrono::sys_days{std::chrono::year{2026} / 11 / 22} +
                      std::chrono::hours(2) + std::chrono::minutes(51) + std::chrono::seconds(36)};

Trace make_trace() { return {"mx.example", "0192", kTime, ClientAddress::shown}; }

SessionInfo greeted() {
  SessionInfo session = make_session();
  session.hello = {Hello::Verb::ehlo, "c.example"};
  return session;
}

Envelope to(std::initializer_list<Path> paths) {
  Envelope envelope;
  for (const Path& path : paths) envelope.recipients.push_back({path});
  return envelope;
}

}  // namespace

TEST_CASE("received_plain_single_recipient") {
  CHECK(make_received(greeted(), to({{"b", "y.example"}}), make_trace()) ==
        "Received: from c.example ([192.0.2.7])\r\n"
        "\tby mx.example with ESMTP id 0192\r\n"
        "\tfor <b@y.example>;\r\n"
        "\tSun, 22 Nov 2026 02:51:36 +0000\r\n");
}

TEST_CASE("received_tls_login_and_many_recipients") {
  SessionInfo session = greeted();
  session.tls = {"TLSv1.3", "TLS_AES_256_GCM_SHA384", 256};
  session.identity = Identity{};
  session.remote.address(asio::ip::make_address("2001:db8::7"));
  CHECK(make_received(session, to({{"b", "y.example"}, {"c", "y.example"}}), make_trace()) ==
        "Received: from c.example ([IPv6:2001:db8::7])\r\n"
        "\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256 bits))\r\n"
        "\tby mx.example with ESMTPSA id 0192;\r\n"
        "\tSun, 22 Nov 2026 02:51:36 +0000\r\n");
}

TEST_CASE("received_hides_a_submitters_address") {
  Trace trace = make_trace();
  trace.client = ClientAddress::hidden;
  const std::string field = make_received(greeted(), to({{"b", "y"}}), trace);
  CHECK(field.find("192.0.2.7") == std::string::npos);
  CHECK(field.find("c.example") == std::string::npos);
}

TEST_CASE("received_never_carries_a_strange_greeting") {
  SessionInfo session = greeted();
  session.hello.name = "a_b";
  CHECK(make_received(session, {}, make_trace()).starts_with("Received: from unknown ("));
  session.remote.address(asio::ip::make_address("::ffff:192.0.2.9"));
  CHECK(make_received(session, {}, make_trace()).find("([192.0.2.9])") != std::string::npos);
}

TEST_CASE("received_of_the_servers_own_names_no_client") {
  CHECK(make_received(to({{"b", "y.example"}}), make_trace()) ==
        "Received: by mx.example id 0192\r\n"
        "\tfor <b@y.example>;\r\n"
        "\tSun, 22 Nov 2026 02:51:36 +0000\r\n");
  CHECK(make_received(to({{"b", "y.example"}, {"c", "y.example"}}), make_trace()) ==
        "Received: by mx.example id 0192;\r\n"
        "\tSun, 22 Nov 2026 02:51:36 +0000\r\n");
}

TEST_CASE("received_protocol_names_of_rfc_3848_and_6531") {
  SessionInfo session = greeted();
  Envelope envelope;
  CHECK(with_protocol(session, envelope) == "ESMTP");
  session.identity = Identity{};
  CHECK(with_protocol(session, envelope) == "ESMTPA");
  session.tls.version = "TLSv1.2";
  CHECK(with_protocol(session, envelope) == "ESMTPSA");
  envelope.charset = Charset::utf8;
  CHECK(with_protocol(session, envelope) == "UTF8SMTPSA");
  session.identity.reset();
  CHECK(with_protocol(session, envelope) == "UTF8SMTPS");
  session.hello.verb = Hello::Verb::helo;
  CHECK(with_protocol(session, envelope) == "SMTP");
}

TEST_CASE("received_fields_are_counted_in_the_header_alone") {
  CHECK(count_received("") == 0);
  CHECK(count_received("Received: a\r\nSubject: b\r\nRECEIVED: c\r\n\r\nReceived: body\r\n") == 2);
  CHECK(count_received("Received : a\r\nReceived-SPF: pass\r\nX: b\r\n Received: folded\r\n") == 1);
  CHECK(count_received("Received") == 0);
  CHECK(count_received("Received:") == 1);
}
