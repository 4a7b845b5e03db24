// The watch over domains' DNS records: zone data and mails of the test's own, a real database.
#include "app/server/domain_watch.hpp"

#include <map>
#include <stdexcept>

#include "accounts/people/member.hpp"
#include "accounts/people/person.hpp"
#include "accounts/registry.hpp"
#include "accounts/signing_keys.hpp"
#include "app/server/drift_mail.hpp"
#include "core/metrics.hpp"
#include "tests/accounts/watched_domains.hpp"
#include "tests/support/fake_resolver.hpp"
#include "tests/support/run_task.hpp"

using namespace postern;
using namespace postern::accounts;
using accounts::test::must;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using Names = std::vector<std::string>;

namespace {

class FakeMailer final : public Mailer {
 public:
  Task<Result<void>> send(Mail mail) override {
    if (refused.contains(mail.to)) co_return fail(Errc::io, "the disk is full");
    mails.push_back(std::move(mail));
    co_return Result<void>{};
  }
  std::map<std::string, int> refused;
  std::vector<Mail> mails;
};

// Breaks on what is about one name.
class BrokenResolver final : public dns::Resolver {
 public:
  Task<std::shared_ptr<const dns::Answer>> query(std::string name, dns::Type type) override {
    if (name.ends_with(broken)) throw std::runtime_error("a bug");
    co_return co_await zone.query(std::move(name), type);
  }
  postern::test::FakeResolver zone;
  std::string broken = "nothing";
};

// Breaks when it is asked for the first time.
class BrokenClock final : public Clock {
 public:
  explicit BrokenClock(const Clock& clock) : clock_(&clock) {}
  [[nodiscard]] Timestamp now() const override {
    if (asked_++ == 0) throw std::runtime_error("a bug");
    return clock_->now();
  }

 private:
  const Clock* clock_;
  mutable int asked_ = 0;
};

constexpr const char* kKey = "v=DKIM1; k=ed25519; p=AAAA";

// Outlives the database, whose threads post to it.
struct Context {
  asio::io_context context{1};
};

struct Watch : Context, accounts::test::WatchedDomains {
  Registry registry{*control};
  BrokenResolver resolver;
  postern::test::FakeResolver& dns = resolver.zone;
  FakeMailer mailer;

  Watch() {
    SigningKey key;
    key.id = SigningKeyId::make();
    key.domain = "a.example";
    key.selector = "s";
    key.wrapped_private_key = "wrapped";
    key.public_record = kKey;
    must(scoped(mine, [key](sql::TenantScope& scope) { return add_signing_key(scope, key); }));
    publish("a.example");
  }

  void publish(const std::string& name) {
    dns.add_mx(name, 10, "mx.host.example");
    dns.add_txt(name, "v=spf1 mx -all");
    dns.add_txt("_dmarc." + name, "v=DMARC1; p=none");
    dns.add_txt("s._domainkey." + name, kKey);
  }
  void owner(const std::string& email, PersonStatus status = PersonStatus::active) {
    const NewPerson fresh{PersonId::make(), email, "", std::nullopt, status, clock.now()};
    must(change([fresh](sql::Transaction& tx) { return add_person(tx, fresh); }));
    must(scoped(mine, [fresh](sql::TenantScope& scope) {
      return add_member(scope, {fresh.id, "owner", {}, "the test", fresh.created});
    }));
  }
  server::Watching watching() {
    server::Watching what;
    what.registry = &registry;
    what.audit = &chain;
    what.resolver = &resolver;
    what.mailer = &mailer;
    what.clock = &clock;
    what.hostname = "mx.host.example";
    what.timing = timing;
    return what;
  }
  std::size_t pass() { return postern::test::run_task(context, server::watch_domains(watching())); }
  void run_until_looked() {
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (rows().size() < 4 && std::chrono::steady_clock::now() < end) context.run_one_for(50ms);
    CHECK(rows().size() == 4);
  }
  std::size_t pass_after(Micros wait) {
    clock.advance(wait);
    return pass();
  }
  void lose_spf() {
    dns.remove("a.example");
    dns.add_mx("a.example", 10, "mx.host.example");
  }
  void drift() {
    CHECK(pass() == 1);
    lose_spf();
    CHECK(pass_after(6h) == 1);
    CHECK(pass_after(10min) == 1);
  }
  Names recipients() {
    Names out;
    out.reserve(mailer.mails.size());
    for (const auto& mail : mailer.mails) out.push_back(mail.to);
    std::ranges::sort(out);
    return out;
  }
};

bool shows(const std::string& metric) {
  return metrics::render().find("\n" + metric + "\n") != std::string::npos;
}

}  // namespace

TEST_CASE("lost_record_is_told_to_the_owners_and_so_is_its_return", "[drift]") {
  Watch watch;
  watch.owner("ann@x.example");
  watch.owner("bob@x.example");
  watch.owner("new@x.example", PersonStatus::unverified);
  watch.drift();
  CHECK(watch.actions() == Names{"domain.drift"});
  CHECK(watch.recipients() == Names{"ann@x.example", "bob@x.example"});
  const auto& mail = watch.mailer.mails.at(0);
  CHECK(mail.subject == "DNS records of a.example aren't as they should be");
  CHECK(mail.lane == Lane::alert);
  CHECK_THAT(mail.text, Contains("TXT record of a.example (spf)\n  wanted: v=spf1 mx -all\n"
                                 "  found:  nothing\n  since:  2026-01-01 06:00 UTC\n"));
  CHECK_THAT(mail.text, !Contains("MX record"));
  CHECK(shows("postern_domains_drifted 1"));
  CHECK(watch.pass_after(6h) == 1);
  CHECK(watch.mailer.mails.size() == 2);  // no more of it
  watch.mailer.mails.clear();
  watch.dns.add_txt("a.example", "v=spf1 mx ~all");
  CHECK(watch.pass_after(6h) == 1);
  CHECK(watch.actions() == Names{"domain.drift", "domain.drift_ended"});
  CHECK(watch.recipients() == Names{"ann@x.example", "bob@x.example"});
  CHECK(watch.mailer.mails.at(0).subject == "DNS records of a.example are right again");
  CHECK(shows("postern_domains_drifted 0"));
  CHECK(watch.verify().sound());
}

TEST_CASE("several_lost_records_are_one_mail", "[drift]") {
  Watch watch;
  watch.owner("ann@x.example");
  CHECK(watch.pass() == 1);
  watch.dns.clear();
  CHECK(watch.pass_after(6h) == 1);
  CHECK(watch.pass_after(10min) == 1);
  CHECK(watch.actions() == Names(4, "domain.drift"));
  REQUIRE(watch.mailer.mails.size() == 1);
  const auto& text = watch.mailer.mails[0].text;
  for (const auto* part : {"MX record of a.example", "(spf)", "(dkim)", "(dmarc)", kKey,
                           "isn't in DNS: its registration may have ended"}) {
    CHECK_THAT(text, Contains(part));
  }
}

TEST_CASE("key_that_was_removed_while_adrift_is_told_as_needed_no_more", "[drift]") {
  Watch watch;
  watch.owner("ann@x.example");
  CHECK(watch.pass() == 1);
  watch.dns.remove("s._domainkey.a.example");
  CHECK(watch.pass_after(6h) == 1);
  CHECK(watch.pass_after(10min) == 1);
  REQUIRE(watch.mailer.mails.size() == 1);
  must(watch.scoped(watch.mine, [](sql::TenantScope& scope) {
    return remove_signing_key(scope, "a.example", "s");
  }));
  CHECK(watch.pass_after(6h) == 1);
  CHECK(watch.actions() == Names{"domain.drift", "domain.drift_ended"});
  REQUIRE(watch.mailer.mails.size() == 2);
  const auto& mail = watch.mailer.mails[1];
  CHECK(mail.subject == "DNS records of a.example are right again");
  CHECK_THAT(mail.text,
             Contains("TXT record of s._domainkey.a.example (dkim)\n  needed no more\n"));
  CHECK(shows("postern_domains_drifted 0"));
  CHECK(watch.pass_after(6h) == 1);
  CHECK(watch.rows().size() == 3);
  CHECK(watch.mailer.mails.size() == 2);
}

TEST_CASE("what_dns_answers_reaches_the_mail_printable", "[drift]") {
  Watch watch;
  watch.owner("ann@x.example");
  CHECK(watch.pass() == 1);
  watch.lose_spf();
  watch.dns.add_txt("a.example", "v=spf1\r\n.\r\nEvil: \x1b[31m" + std::string(1'000, 'x'));
  CHECK(watch.pass_after(6h) == 1);
  CHECK(watch.pass_after(10min) == 1);
  REQUIRE(watch.mailer.mails.size() == 1);
  const auto& text = watch.mailer.mails[0].text;
  CHECK_THAT(text, Contains("  found:  v=spf1??.??Evil: ?[31mxxx"));
  CHECK_THAT(text, !Contains(std::string(201, 'x')));
}

TEST_CASE("domain_that_was_never_published_is_silent", "[drift]") {
  Watch watch;
  watch.owner("ann@x.example");
  watch.dns.clear();
  for (int i = 0; i < 5; ++i) CHECK(watch.pass_after(6h) == 1);
  CHECK(watch.actions().empty());
  CHECK(watch.mailer.mails.empty());
}

TEST_CASE("dead_dns_is_no_drift", "[drift]") {
  Watch watch;
  watch.owner("ann@x.example");
  CHECK(watch.pass() == 1);
  watch.dns.clear();
  watch.dns.set_default_status(dns::Status::temporary);
  for (int i = 0; i < 5; ++i) CHECK(watch.pass_after(6h) == 1);
  CHECK(watch.actions().empty());
  CHECK(watch.mailer.mails.empty());
}

TEST_CASE("mail_that_could_not_be_sent_is_sent_at_the_next_look", "[drift]") {
  Watch watch;
  watch.owner("ann@x.example");
  watch.mailer.refused = {{"ann@x.example", 1}};
  watch.drift();
  CHECK(watch.mailer.mails.empty());
  CHECK(watch.pass_after(10min) == 1);
  CHECK(watch.mailer.mails.empty());
  watch.mailer.refused.clear();
  CHECK(watch.pass_after(10min) == 1);
  CHECK(watch.mailer.mails.size() == 1);
  CHECK(watch.pass_after(10min) == 0);
  CHECK(watch.actions() == Names{"domain.drift"});
}

TEST_CASE("one_owners_bad_address_does_not_repeat_the_others_mail", "[drift]") {
  Watch watch;
  watch.owner("ann@x.example");
  watch.owner("bob@x.example");
  watch.mailer.refused = {{"ann@x.example", 1}};
  watch.drift();
  CHECK(watch.recipients() == Names{"bob@x.example"});
  CHECK(watch.pass_after(10min) == 0);
}

TEST_CASE("owners_who_can_not_sign_in_do_not_hide_those_who_can", "[drift]") {
  Watch watch;
  for (int i = 0; i < 25; ++i)  // their ids, and so their places in the list, come first
    watch.owner("off" + std::to_string(i) + "@x.example", PersonStatus::suspended);
  watch.owner("ann@x.example");
  watch.drift();
  CHECK(watch.recipients() == Names{"ann@x.example"});
}

TEST_CASE("mail_goes_to_twenty_owners_at_the_most", "[drift]") {
  Watch watch;
  for (int i = 0; i < 21; ++i) watch.owner("o" + std::to_string(i) + "@x.example");
  watch.drift();
  CHECK(watch.mailer.mails.size() == 20);
}

TEST_CASE("domain_that_breaks_the_watch_is_put_off_and_the_others_are_looked_at", "[drift]") {
  Watch watch;
  for (int i = 0; i < 8; ++i) {
    const auto name = "d" + std::to_string(i) + ".broken";
    (void)watch.domain(watch.mine, name);
    watch.publish(name);
  }
  watch.resolver.broken = ".broken";
  (void)watch.domain(watch.mine, "z.example");
  watch.publish("z.example");
  CHECK(watch.pass() == 10);
  CHECK(watch.rows().size() == 4);
  CHECK(watch.rows("z.example").size() == 3);
  CHECK(watch.rows("d0.broken").empty());
  CHECK(watch.due().empty());
  watch.clock.advance(10min);
  CHECK(watch.due().size() == 8);
  watch.resolver.broken = "nothing";
  CHECK(watch.pass() == 8);
  CHECK(watch.rows("d0.broken").size() == 3);
}

TEST_CASE("tenant_without_owners_is_not_looked_at_more_often", "[drift]") {
  Watch watch;
  watch.drift();
  CHECK(watch.actions() == Names{"domain.drift"});
  CHECK(watch.pass_after(10min) == 0);
  watch.owner("ann@x.example");  // and who comes later is told
  CHECK(watch.pass_after(6h) == 1);
  CHECK(watch.recipients() == Names{"ann@x.example"});
}

TEST_CASE("many_domains_are_looked_at_a_part_at_a_time", "[drift]") {
  Watch watch;
  for (int i = 0; i < 49; ++i) {
    const auto name = "d" + std::to_string(i) + ".example";
    (void)watch.domain(watch.theirs, name);
    watch.publish(name);
  }
  CHECK(watch.pass() == 20);
  CHECK(watch.pass() == 20);
  CHECK(watch.pass() == 10);
  CHECK(watch.pass() == 0);
  CHECK(watch.counts().watched == 50);
}

TEST_CASE("passes_keep_ahead_of_the_schedule", "[drift]") {
  const WatchTiming timing;
  CHECK(server::watch_pause(timing) == 1min);
  CHECK(server::watch_pause({6h, 1s}) == 1s);
  CHECK(server::watch_limit(0, timing) == 20);
  // 360 passes in six hours; half of what they may take is all there is.
  for (const std::int64_t domains : {1'000, 10'000, 100'000}) {
    const auto a_round = 360 * server::watch_limit(domains, timing);
    CHECK(a_round >= 2 * static_cast<std::size_t>(domains) - 360);
    CHECK(a_round <= 2 * static_cast<std::size_t>(domains) + std::size_t{360} * 21);
  }
}

TEST_CASE("watch_looks_by_itself_and_stops", "[drift]") {
  Watch watch;
  watch.timing = {1s, 1s};
  server::DomainWatch loop(watch.context, watch.watching());
  loop.start();
  watch.run_until_looked();
  loop.stop();
  watch.context.run_for(5s);  // to its end, as nothing is left to do
  CHECK(watch.context.stopped());
}

TEST_CASE("watch_goes_on_after_a_pass_that_broke", "[drift]") {
  Watch watch;
  watch.timing = {1s, 1s};
  const BrokenClock clock(watch.clock);
  auto watching = watch.watching();
  watching.clock = &clock;
  server::DomainWatch loop(watch.context, watching);
  loop.start();
  watch.run_until_looked();
  loop.stop();
  watch.context.run_for(5s);
  CHECK(watch.context.stopped());
}
