#include "dkim/authenticate.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch.hpp>

#include "dkim/sign/signer.hpp"
#include "tests/dkim/mail.hpp"
#include "tests/support/fake_resolver.hpp"
#include "tests/support/run_task.hpp"

using namespace postern;
using dkim::Disposition;
using dkim::Refusal;

namespace {

constexpr const char* kMessage =
    "From: Joe <joe@example.com>\r\nTo: sue@example.net\r\nSubject: hi\r\nDate: Fri, 11 Jul 2003 "
    "21:00:37 -0700\r\n\r\nHi.\r\n";

// Answers some names never, the others at once.
class SilentResolver final : public dns::Resolver {
 public:
  SilentResolver(test::FakeResolver& inner, std::string silent)
      : inner_(inner), silent_(std::move(silent)) {}
  Task<std::shared_ptr<const dns::Answer>> query(std::string name, dns::Type type) override {
    if (name.ends_with(silent_)) {
      asio::steady_timer timer(co_await asio::this_coro::executor);
      timer.expires_after(std::chrono::hours(1));
      boost::system::error_code ignored;
      co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    co_return co_await inner_.query(name, type);
  }

 private:
  test::FakeResolver& inner_;
  std::string silent_;
};

// Knows all answers without being asked.
class KnowingResolver final : public dns::Resolver {
 public:
  explicit KnowingResolver(test::FakeResolver& inner) : inner_(inner) {}
  Task<std::shared_ptr<const dns::Answer>> query(std::string name, dns::Type type) override {
    ++queries;
    return inner_.query(std::move(name), type);
  }
  std::shared_ptr<const dns::Answer> cached(const std::string& name, dns::Type type) override {
    return test::run_task(inner_.query(name, type));
  }
  std::size_t queries = 0;

 private:
  test::FakeResolver& inner_;
};

dkim::Options options() {
  dkim::Options made;
  made.authserv_id = "mx.example.org";
  made.now = test::test_now();
  return made;
}

dkim::Verdicts run(dns::Resolver& resolver, const std::string& message,
                   dkim::Options made = options()) {
  asio::io_context context{1};
  dkim::Envelope envelope{asio::ip::make_address("192.0.2.1"), "out.example.com",
                          "joe@example.com"};
  return test::run_task<dkim::Verdicts>(
      context,
      dkim::authenticate(resolver, envelope, dkim::make_message(message), std::move(made)));
}

std::string sign(test::FakeResolver& resolver, const std::string& message) {
  auto pair = dkim::generate(dkim::Algorithm::ed25519);
  REQUIRE(pair);
  resolver.add_txt("s1._domainkey.example.com", pair->dns_record);
  const std::vector<dkim::Selector> keys{{"s1", *dkim::SigningKey::from_pem(pair->private_pem)}};
  auto fields = dkim::sign_message(message, "example.com", keys, test::test_now());
  REQUIRE(fields);
  return *fields + message;
}

}  // namespace

TEST_CASE("good_message_passes_all_three") {
  test::FakeResolver resolver;
  resolver.add_txt("example.com", "v=spf1 ip4:192.0.2.1 -all");
  resolver.add_txt("_dmarc.example.com", "v=DMARC1; p=reject");
  const auto verdicts = run(resolver, sign(resolver, kMessage));
  CHECK(verdicts.mail_from.result == spf::Verdict::pass);
  REQUIRE(verdicts.signatures.size() == 1);
  CHECK(verdicts.signatures[0].result == dkim::Verdict::pass);
  CHECK(verdicts.dmarc.result == dmarc::Verdict::pass);
  CHECK(verdicts.disposition == Disposition::deliver);
  CHECK(verdicts.results_field.find("spf=pass smtp.mailfrom=joe@example.com;") !=
        std::string::npos);
  CHECK(verdicts.results_field.find("dkim=pass (256-bit key) header.d=example.com") !=
        std::string::npos);
  CHECK(verdicts.results_field.find("dmarc=pass (p=reject dis=none) header.from=example.com") !=
        std::string::npos);
}

TEST_CASE("what_the_resolver_knows_is_not_asked") {
  test::FakeResolver zone;
  zone.add_txt("example.com", "v=spf1 include:spf.example.com -all");
  zone.add_txt("spf.example.com", "v=spf1 a:out.example.com -all");
  zone.add_a("out.example.com", "192.0.2.1");
  zone.add_txt("_dmarc.example.com", "v=DMARC1; p=reject");
  KnowingResolver resolver(zone);
  const auto message = sign(zone, kMessage);
  const auto verdicts = run(resolver, message);
  CHECK(verdicts.mail_from.result == spf::Verdict::pass);
  CHECK(verdicts.dmarc.result == dmarc::Verdict::pass);
  CHECK(verdicts.results_field == run(zone, message).results_field);
  CHECK(resolver.queries == 0);
}

TEST_CASE("forgery_goes_where_the_setting_says") {
  test::FakeResolver resolver;
  resolver.add_txt("_dmarc.example.com", "v=DMARC1; p=reject");
  dkim::Options made = options();
  CHECK(run(resolver, kMessage).disposition == Disposition::junk);
  made.refusal = Refusal::on_policy;
  CHECK(run(resolver, kMessage, made).disposition == Disposition::reject);
  // The sender's own SPF says fail: another failing signal.
  resolver.add_txt("example.com", "v=spf1 -all");
  CHECK(run(resolver, kMessage).disposition == Disposition::reject);
  made.refusal = Refusal::never;
  CHECK(run(resolver, kMessage, made).disposition == Disposition::junk);
}

TEST_CASE("disposition_table") {
  dmarc::Outcome dmarc;
  spf::Outcome spf;
  spf.result = spf::Verdict::fail;
  const std::vector<dkim::SignatureResult> list{
      {.result = dkim::Verdict::pass, .domain = "list.example"}};
  for (const auto verdict : {dmarc::Verdict::none, dmarc::Verdict::pass, dmarc::Verdict::temperror,
                             dmarc::Verdict::permerror}) {
    dmarc.result = verdict;
    dmarc.policy = dmarc::Policy::reject;
    CHECK(dkim::dispose(dmarc, spf, {}, Refusal::on_policy) == Disposition::deliver);
  }
  dmarc.result = dmarc::Verdict::fail;
  CHECK(dkim::dispose(dmarc, spf, {}, Refusal::on_other_signal) == Disposition::reject);
  CHECK(dkim::dispose(dmarc, spf, list, Refusal::on_other_signal) == Disposition::junk);
  dmarc.policy = dmarc::Policy::quarantine;
  CHECK(dkim::dispose(dmarc, spf, {}, Refusal::on_policy) == Disposition::junk);
  dmarc.policy = dmarc::Policy::none;
  CHECK(dkim::dispose(dmarc, spf, {}, Refusal::on_policy) == Disposition::deliver);
}

TEST_CASE("message_without_one_author_is_permerror") {
  test::FakeResolver resolver;
  CHECK(run(resolver, "Subject: x\r\n\r\n").dmarc.result == dmarc::Verdict::permerror);
  CHECK(run(resolver, "From: a@b.example\r\nFrom: a@b.example\r\n\r\n").dmarc.result ==
        dmarc::Verdict::permerror);
}

TEST_CASE("dead_dns_is_temperror_and_delivers") {
  test::FakeResolver resolver;
  const auto message = sign(resolver, kMessage);
  resolver.clear();
  resolver.set_default_status(dns::Status::temporary);
  const auto verdicts = run(resolver, message);
  CHECK(verdicts.helo.result == spf::Verdict::temperror);
  CHECK(verdicts.mail_from.result == spf::Verdict::temperror);
  CHECK(verdicts.signatures.at(0).result == dkim::Verdict::temperror);
  CHECK(verdicts.dmarc.result == dmarc::Verdict::temperror);
  CHECK(verdicts.disposition == Disposition::deliver);
}

TEST_CASE("silent_dns_ends_with_the_budget") {
  test::FakeResolver inner;
  inner.add_txt("example.com", "v=spf1 ip4:192.0.2.1 -all");
  inner.add_txt("_dmarc.example.com", "v=DMARC1; p=reject");
  const auto message = sign(inner, kMessage);
  dkim::Options made = options();
  made.budget = std::chrono::milliseconds(300);
  SECTION("a key that never comes leaves the rest") {
    SilentResolver resolver(inner, "_domainkey.example.com");
    const auto verdicts = run(resolver, message, made);
    CHECK(verdicts.mail_from.result == spf::Verdict::pass);
    CHECK(verdicts.signatures.at(0).result == dkim::Verdict::temperror);
    CHECK(verdicts.dmarc.result == dmarc::Verdict::pass);
  }
  SECTION("a key that never comes might have aligned: no failure") {
    inner.remove("example.com");
    SilentResolver resolver(inner, "_domainkey.example.com");
    const auto verdicts = run(resolver, message, made);
    CHECK(verdicts.signatures.at(0).domain == "example.com");
    CHECK(verdicts.dmarc.result == dmarc::Verdict::temperror);
    CHECK(verdicts.disposition == Disposition::deliver);
  }
  SECTION("nothing at all comes") {
    SilentResolver resolver(inner, "");
    const auto began = std::chrono::steady_clock::now();
    const auto verdicts = run(resolver, message, made);
    CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(5));
    CHECK(verdicts.mail_from.result == spf::Verdict::temperror);
    CHECK(verdicts.dmarc.result == dmarc::Verdict::temperror);
    CHECK(verdicts.disposition == Disposition::deliver);
  }
}
