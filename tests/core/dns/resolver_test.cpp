#include "core/dns/resolver.hpp"

#include <catch2/catch.hpp>

#include "tests/core/dns/dns_server.hpp"
#include "tests/core/sockets.hpp"

namespace {
using namespace postern;
using namespace postern::test;
using namespace std::chrono_literals;
using dns::Status;
using dns::Type;
using Replies = std::vector<std::string>;
using SteadyClock = std::chrono::steady_clock;

const std::string kA("\xc0\x00\x02\x01", 4);

dns::Options options(const std::string& server) {
  dns::Options made;
  made.servers = {server};
  made.timeout_ms = 300;
  return made;
}

// A server, and a resolver that asks it, on one context.
struct Dns {
  explicit Dns(DnsServer::Handler handler)
      : server(context, std::move(handler)),
        resolver(dns::make_resolver(context, options(server.address()))) {}
  Dns(DnsServer::Handler handler, const std::function<void(dns::Options&)>& change)
      : server(context, std::move(handler)) {
    auto settings = options(server.address());
    change(settings);
    resolver = dns::make_resolver(context, settings);
  }
  std::shared_ptr<const dns::Answer> ask(const std::string& name, Type type = Type::a) {
    return run_task(context, resolver->query(name, type));
  }
  asio::io_context context{1};
  DnsServer server;
  std::shared_ptr<dns::Resolver> resolver;
};

Replies one_address(const Question& q) { return {q.answer({{q.name, Type::a, 300, kA}})}; }
}  // namespace

TEST_CASE("resolver_asks_once_and_remembers") {
  Dns dns(one_address);
  CHECK(dns.resolver->cached("mail.example.test", Type::a) == nullptr);
  const auto answer = dns.ask("Mail.Example.TEST.");
  CHECK(dns.resolver->cached("MAIL.example.test.", Type::a) == answer);
  CHECK(dns.resolver->cached("mail.example.test", Type::aaaa) == nullptr);
  REQUIRE(answer->status == Status::ok);
  CHECK(answer->addresses.at(0).to_string() == "192.0.2.1");
  CHECK(answer->ttl == 300);
  CHECK(dns.ask("mail.example.test") == answer);
  REQUIRE(dns.server.seen.size() == 1);
  CHECK(dns.server.seen[0].name == "mail.example.test");
  CHECK(dns.server.seen[0].edns);
  CHECK(dns.ask("mail.example.test", Type::aaaa)->status == Status::nodata);
  CHECK(dns.server.seen.size() == 2);
}

TEST_CASE("resolver_asks_the_same_question_of_many_callers_once") {
  Dns dns(one_address);
  std::vector<std::unique_ptr<Started<std::shared_ptr<const dns::Answer>>>> callers;
  for (int i = 0; i < 20; ++i) {
    callers.push_back(std::make_unique<Started<std::shared_ptr<const dns::Answer>>>(
        dns.context, dns.resolver->query("a.test", Type::a)));
  }
  for (auto& caller : callers) CHECK(caller->get(dns.context)->status == Status::ok);
  CHECK(dns.server.seen.size() == 1);
}

TEST_CASE("resolver_remembers_negative_answers_for_the_soa_time") {
  Dns dns([](const Question& q) -> Replies {
    return {q.answer({}, q.name == "gone.test" ? 0x8183 : 0x8180,
                     {{"test", Type::soa, 300, soa_data(300)}})};
  });
  CHECK(dns.ask("gone.test")->status == Status::nxdomain);
  CHECK(dns.ask("gone.test")->status == Status::nxdomain);
  CHECK(dns.ask("empty.test")->status == Status::nodata);
  CHECK(dns.server.seen.size() == 2);
}

TEST_CASE("resolver_asks_again_when_the_time_is_over") {
  Dns dns([](const Question& q) -> Replies { return {q.answer({{q.name, Type::a, 0, kA}})}; },
          [](dns::Options& o) { o.min_ttl = 0; });
  CHECK(dns.ask("a.test")->status == Status::ok);
  CHECK(dns.ask("a.test")->status == Status::ok);
  CHECK(dns.server.seen.size() == 2);
}

TEST_CASE("resolver_impossible_names_are_nxdomain_without_asking") {
  Dns dns(one_address);
  for (const std::string& name :
       {std::string(), std::string("."), std::string("a..b"), std::string("a b.test"),
        std::string("gr\xc3\xbc.test"), std::string(64, 'a') + ".test",
        std::string(250, 'a') + ".tes", std::string("a\\.b.test")}) {
    CAPTURE(name);
    CHECK(dns.ask(name)->status == Status::nxdomain);
  }
  CHECK(dns.server.seen.empty());
}

TEST_CASE("resolver_takes_a_truncated_answer_over_tcp") {
  std::vector<Rr> many;
  for (int i = 0; i < 100; ++i)
    many.push_back({"big.test", Type::txt, 60, "\x14" + std::string(20, 'x')});
  Dns dns([&](const Question& q) -> Replies {
    if (!q.tcp) return {q.answer({}, 0x8380)};
    return {q.answer(many)};
  });
  const auto answer = dns.ask("big.test", Type::txt);
  CHECK(answer->status == Status::ok);
  CHECK(answer->texts.size() == 100);
  REQUIRE(dns.server.seen.size() == 2);
  CHECK(dns.server.seen[1].tcp);
}

TEST_CASE("resolver_takes_a_large_answer_over_udp_with_edns") {
  Dns dns([](const Question& q) -> Replies {
    std::vector<Rr> answers;
    for (int i = 0; i < 25; ++i)
      answers.push_back({q.name, Type::txt, 60, "\x14" + std::string(20, 'x')});
    return {q.answer(answers)};
  });
  CHECK(dns.ask("big.test", Type::txt)->texts.size() == 25);
  CHECK(dns.server.seen.size() == 1);
}

TEST_CASE("resolver_asks_a_server_without_edns_plainly") {
  Dns dns([](const Question& q) -> Replies {
    if (q.edns) return {q.answer({}, 0x8181)};
    return one_address(q);
  });
  CHECK(dns.ask("a.test")->status == Status::ok);
  CHECK(dns.ask("b.test")->status == Status::ok);
}

TEST_CASE("resolver_follows_an_alias_that_the_server_does_not") {
  Dns dns([](const Question& q) -> Replies {
    if (q.name == "www.test")
      return {q.answer({{q.name, Type::cname, 7, wire_name("Host.other.test")}})};
    return one_address(q);
  });
  const auto answer = dns.ask("www.test");
  CHECK(answer->status == Status::ok);
  CHECK(answer->addresses.size() == 1);
  CHECK(answer->ttl == 7);
  CHECK(dns.server.seen.at(1).name == "host.other.test");
}

TEST_CASE("resolver_gives_up_on_endless_aliases") {
  int n = 0;
  Dns dns([&](const Question& q) -> Replies {
    return {q.answer({{q.name, Type::cname, 7, wire_name("n" + std::to_string(n++) + ".test")}})};
  });
  CHECK(dns.ask("a.test")->status == Status::temporary);
  CHECK(dns.server.seen.size() <= 10);
}

TEST_CASE("resolver_server_failure_is_temporary_and_remembered_shortly") {
  for (const unsigned flags : {0x8182U, 0x8185U, 0x8184U}) {
    Dns dns([&](const Question& q) -> Replies { return {q.answer({}, flags)}; });
    CHECK(dns.ask("a.test")->status == Status::temporary);
    const auto asked = dns.server.seen.size();
    CHECK(dns.ask("a.test")->status == Status::temporary);
    CHECK(dns.server.seen.size() == asked);
  }
}

TEST_CASE("resolver_without_an_answer_gives_up_in_bounded_time") {
  Dns dns([](const Question&) -> Replies { return {}; },
          [](dns::Options& o) { o.timeout_ms = 100; });
  const auto start = SteadyClock::now();
  CHECK(dns.ask("a.test")->status == Status::temporary);
  CHECK(SteadyClock::now() - start < 2s);
  CHECK(dns.server.seen.size() == 2);
}

TEST_CASE("resolver_total_time_bounds_a_query_whatever_the_servers_do") {
  Dns dns([](const Question&) -> Replies { return {}; },
          [](dns::Options& o) {
            o.timeout_ms = 60'000;
            o.total = 150ms;
          });
  const auto start = SteadyClock::now();
  CHECK(dns.ask("a.test")->status == Status::temporary);
  CHECK(SteadyClock::now() - start < 5s);
}

TEST_CASE("resolver_with_a_closed_port_fails_soon") {
  asio::io_context context{1};
  auto server = std::make_unique<DnsServer>(context, one_address);
  const auto address = server->address();
  server.reset();
  const auto resolver = dns::make_resolver(context, options(address));
  const auto start = SteadyClock::now();
  CHECK(run_task(context, resolver->query("a.test", Type::a))->status == Status::temporary);
  CHECK(SteadyClock::now() - start < 3s);
}

TEST_CASE("resolver_goes_to_the_next_server") {
  Dns dns(one_address);
  asio::io_context& context = dns.context;
  DnsServer silent(context, [](const Question&) -> Replies { return {}; });
  auto settings = options(silent.address());
  settings.timeout_ms = 100;
  settings.servers.push_back(dns.server.address());
  const auto resolver = dns::make_resolver(context, settings);
  CHECK(run_task(context, resolver->query("a.test", Type::a))->status == Status::ok);
}

TEST_CASE("resolver_ignores_what_is_not_the_answer_to_its_question") {
  const std::string forged("\x7f\0\0\x02", 4);
  Dns dns([&](const Question& q) -> Replies {
    Replies out{"", "x", std::string(100, '\xff')};
    for (unsigned lie = 1; lie < 200; ++lie) {
      out.push_back(response((q.id + lie) & 0xffff, 0x8180, q.name, q.type,
                             {{q.name, Type::a, 300, forged}}));
    }
    out.push_back(
        response(q.id, 0x8180, "other.test", q.type, {{"other.test", Type::a, 300, forged}}));
    out.push_back(one_address(q).front());
    return out;
  });
  const auto answer = dns.ask("a.test");
  REQUIRE(answer->status == Status::ok);
  CHECK(answer->addresses.at(0).to_string() == "192.0.2.1");
}

TEST_CASE("resolver_garbage_after_the_right_header_is_temporary") {
  Dns dns([](const Question& q) -> Replies {
    auto reply = q.answer({{q.name, Type::a, 300, kA}});
    reply.resize(reply.size() - 2);
    return {reply};
  });
  CHECK(dns.ask("a.test")->status == Status::temporary);
}

TEST_CASE("resolver_bounds_the_questions_in_flight") {
  Dns dns([](const Question&) -> Replies { return {}; },
          [](dns::Options& o) { o.max_in_flight = 2; });
  using Ask = Started<std::shared_ptr<const dns::Answer>>;
  Ask one(dns.context, dns.resolver->query("a.test", Type::a));
  Ask two(dns.context, dns.resolver->query("b.test", Type::a));
  dns.context.poll();
  CHECK(dns.ask("c.test")->status == Status::temporary);
  CHECK_FALSE(one.done());
  CHECK(one.get(dns.context)->status == Status::temporary);
  CHECK(two.get(dns.context)->status == Status::temporary);
  for (const auto& question : dns.server.seen) CHECK(question.name != "c.test");
}

TEST_CASE("resolver_destroyed_with_queries_in_flight_ends_them") {
  Dns dns([](const Question&) -> Replies { return {}; });
  Started<std::shared_ptr<const dns::Answer>> query(dns.context,
                                                    dns.resolver->query("a.test", Type::a));
  dns.context.poll();
  dns.resolver.reset();
  CHECK(query.get(dns.context)->status == Status::temporary);
}

TEST_CASE("resolver_and_its_queries_die_with_the_context") {
  auto context = std::make_unique<asio::io_context>(1);
  auto server =
      std::make_unique<DnsServer>(*context, [](const Question&) -> Replies { return {}; });
  auto resolver = dns::make_resolver(*context, options(server->address()));
  Started<std::shared_ptr<const dns::Answer>> query(*context, resolver->query("a.test", Type::a));
  context->poll();
  resolver.reset();
  server.reset();
  context.reset();
  CHECK_FALSE(query.done());
}

TEST_CASE("resolver_believes_ad_from_loopback") {
  Dns dns([](const Question& q) -> Replies {
    return {q.answer({{q.name, Type::a, 300, kA}}, q.name == "signed.test" ? 0x81a0 : 0x8180)};
  });
  CHECK(dns.ask("signed.test")->authenticated);
  CHECK_FALSE(dns.ask("unsigned.test")->authenticated);
}

TEST_CASE("resolver_many_different_questions_at_once") {
  Dns dns(one_address);
  std::vector<std::unique_ptr<Started<std::shared_ptr<const dns::Answer>>>> callers;
  for (int i = 0; i < 300; ++i) {
    callers.push_back(std::make_unique<Started<std::shared_ptr<const dns::Answer>>>(
        dns.context, dns.resolver->query("n" + std::to_string(i) + ".test", Type::a)));
  }
  for (auto& caller : callers) CHECK(caller->get(dns.context)->status == Status::ok);
}

TEST_CASE("resolver_server_list_that_cannot_be_used_throws") {
  asio::io_context context{1};
  CHECK_THROWS_AS(dns::make_resolver(context, options("not an address")), std::runtime_error);
  CHECK_NOTHROW(dns::make_resolver(context, dns::Options{}));
  CHECK_NOTHROW(dns::make_resolver(context, options("[::1]:53")));
}
