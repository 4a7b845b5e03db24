// The shared test support keeps its own promises.
#include <catch2/catch.hpp>
#include <stdexcept>

#include "tests/support/eventually.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_resolver.hpp"
#include "tests/support/run_task.hpp"
#include "tests/support/suites.hpp"
#include "tests/support/temp_directory.hpp"

namespace {
using namespace postern;
using test::FakeResolver;
using test::run_task;

Task<std::string> greet(std::string name) { co_return "hello " + name; }
Task<> fail_loudly() {
  throw std::logic_error("as asked");
  co_return;
}
Task<> never_end() {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  timer.expires_at(asio::steady_timer::time_point::max());
  co_await timer.async_wait(asio::use_awaitable);
}

dns::Status status(FakeResolver& resolver, std::string name, dns::Type type) {
  return run_task(resolver.query(std::move(name), type))->status;
}
}  // namespace

TEST_CASE("run_task_returns_value_exception_or_timeout") {
  CHECK(run_task(greet("world")) == "hello world");
  CHECK_THROWS_AS(run_task(fail_loudly()), std::logic_error);
  CHECK_THROWS_AS(run_task(never_end(), std::chrono::milliseconds(20)), std::runtime_error);
}

TEST_CASE("fake_resolver_answers_zone_data") {
  FakeResolver resolver;
  resolver.add_a("Mx.Example.TEST.", "192.0.2.1");
  resolver.add_mx("example.test", 10, "MX.example.test.");
  resolver.add_mx("null.test", 0, ".");
  resolver.add_txt("example.test", {"v=spf1 ", "-all"});
  resolver.add_ptr("192.0.2.1", "mx.example.test");
  resolver.add_cname("www.example.test", "mx.example.test");

  const auto a = run_task(resolver.query("mx.example.test", dns::Type::a));
  REQUIRE(a->status == dns::Status::ok);
  CHECK(a->addresses.at(0).to_string() == "192.0.2.1");
  CHECK(run_task(resolver.query("EXAMPLE.test.", dns::Type::mx))->mx.at(0).host ==
        "mx.example.test");
  CHECK(run_task(resolver.query("null.test", dns::Type::mx))->mx.at(0).host.empty());
  CHECK(run_task(resolver.query("example.test", dns::Type::txt))->texts.at(0) == "v=spf1 -all");
  CHECK(run_task(resolver.query("1.2.0.192.in-addr.arpa", dns::Type::ptr))->names.at(0) ==
        "mx.example.test");
  CHECK(run_task(resolver.query("www.example.test", dns::Type::a))->addresses.size() == 1);

  CHECK(status(resolver, "mx.example.test", dns::Type::aaaa) == dns::Status::nodata);
  CHECK(status(resolver, "test", dns::Type::a) == dns::Status::nodata);
  CHECK(status(resolver, "nowhere.test", dns::Type::a) == dns::Status::nxdomain);
  resolver.set_status("mx.example.test", dns::Type::a, dns::Status::temporary);
  CHECK(status(resolver, "mx.example.test", dns::Type::a) == dns::Status::temporary);
  CHECK(resolver.queries("MX.example.test", dns::Type::a) == 2);
}

TEST_CASE("fake_clock_moves_when_told") {
  test::FakeClock clock;
  CHECK(to_micros(clock.now()) == 1'767'225'600'000'000);
  clock.advance(std::chrono::seconds(2));
  CHECK(to_micros(clock.now()) == 1'767'225'602'000'000);
}

TEST_CASE("temp_directory_is_removed") {
  std::filesystem::path path;
  {
    test::TempDirectory directory;
    path = directory.path();
    directory.write("a", "text");
    CHECK(directory.read("a") == "text");
  }
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("reverse_name_has_the_arpa_form") {
  // RFC 1035 §3.5, RFC 3596 §2.5
  CHECK(dns::reverse_name(asio::ip::make_address("10.2.0.52")) == "52.0.2.10.in-addr.arpa");
  CHECK(dns::reverse_name(asio::ip::make_address("4321:0:1:2:3:4:567:89ab")) ==
        "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa");
}
