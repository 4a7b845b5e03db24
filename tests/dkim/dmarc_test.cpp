#include "dkim/dmarc/dmarc.hpp"

#include <catch2/catch.hpp>

#include "dkim/dmarc/tree_walk.hpp"
#include "dkim/domain.hpp"
#include "tests/support/fake_resolver.hpp"
#include "tests/support/run_task.hpp"
#include "tests/support/suites.hpp"

using namespace postern;
using dmarc::Verdict;

namespace {

spf::Outcome spf_of(const char* domain, spf::Verdict verdict = spf::Verdict::pass) {
  spf::Outcome outcome;
  outcome.result = verdict;
  outcome.domain = domain;
  return outcome;
}

dkim::SignatureResult dkim_of(const char* domain, dkim::Verdict verdict = dkim::Verdict::pass) {
  dkim::SignatureResult result;
  result.result = verdict;
  result.domain = domain;
  return result;
}

dmarc::Outcome evaluate(test::FakeResolver& resolver, const char* author,
                        spf::Outcome spf = spf_of("unrelated.example"),
                        std::vector<dkim::SignatureResult> dkim = {}) {
  return test::run_task(dmarc::evaluate(resolver, author, std::move(spf), std::move(dkim)));
}

std::string organizational(test::FakeResolver& resolver, const std::string& domain) {
  const auto walked =
      test::run_task(dmarc::walk(resolver, domain, std::make_shared<dkim::Lookups>()));
  return dmarc::organizational_domain(walked, domain);
}

}  // namespace

TEST_CASE("walk_asks_at_most_eight_names") {
  using Names = std::vector<std::string>;
  CHECK(dmarc::walk_names("a.mail.example.com") ==
        Names{"a.mail.example.com", "mail.example.com", "example.com", "com"});
  // RFC 9989 §4.10: from eight labels or more, the second question is at seven.
  CHECK(dmarc::walk_names("a.b.c.d.e.f.g.h.i.j.mail.example.com") ==
        Names{"a.b.c.d.e.f.g.h.i.j.mail.example.com", "g.h.i.j.mail.example.com",
              "h.i.j.mail.example.com", "i.j.mail.example.com", "j.mail.example.com",
              "mail.example.com", "example.com", "com"});
  CHECK(dmarc::walk_names("a.b.c.d.e.f.g.com").size() == 8);
  CHECK(dmarc::walk_names("com") == Names{"com"});
}

TEST_CASE("record_grammar") {
  const char* good[] = {"v=DMARC1; p=none",
                        "v=DMARC1;p=reject;",
                        "v = DMARC1 ; p = QUARANTINE ; pct=50; rf=afrf; ri=1",
                        "v=DMARC1; p=none; x=y; junk; sp=reject; np=quarantine; psd=n; t=y",
                        "v=DMARC1; adkim=s; p=none",
                        "v=DMARC1; rua=mailto:a@b.example",
                        "v=DMARC1; p=bad; rua=mailto:a@b.example!10m"};
  const char* bad[] = {"",
                       "v=DMARC1",
                       "v=dmarc1; p=none",
                       "v=DMARC2; p=none",
                       "p=none; v=DMARC1",
                       "v=DMARC1; p=bad",
                       "v=DMARC1; p=none; sp=bad",
                       "v=DMARC1; p=none; np=bad",
                       "v=DMARC1; p=none; p=none",
                       "v=DMARC1p=none"};
  for (const char* text : good) {
    INFO(text);
    CHECK(dmarc::parse_record(text));
  }
  for (const char* text : bad) {
    INFO(text);
    CHECK_FALSE(dmarc::parse_record(text));
  }
  const auto record = dmarc::parse_record(
      "v=DMARC1; p=bad; sp=reject; rua=mailto:a@b.example!10m, https://x.example/r, junk");
  REQUIRE(record);
  CHECK(record->policy == dmarc::Policy::none);
  CHECK_FALSE(record->subdomain_policy);
  CHECK(record->aggregate_reports ==
        std::vector<std::string>{"mailto:a@b.example", "https://x.example/r"});
}

TEST_CASE("organizational_domain_by_tree_walk") {
  test::FakeResolver resolver;
  SECTION("the record with the fewest labels") {
    resolver.add_txt("_dmarc.mail.example.com", "v=DMARC1; p=none");
    resolver.add_txt("_dmarc.example.com", "v=DMARC1; p=none");
    CHECK(organizational(resolver, "a.mail.example.com") == "example.com");
  }
  SECTION("psd=n is it, and ends the walk") {
    resolver.add_txt("_dmarc.mail.example.com", "v=DMARC1; p=none; psd=n");
    resolver.add_txt("_dmarc.example.com", "v=DMARC1; p=none");
    CHECK(organizational(resolver, "a.mail.example.com") == "mail.example.com");
  }
  SECTION("psd=y above: one label below it") {
    resolver.add_txt("_dmarc.com", "v=DMARC1; p=reject; psd=y");
    CHECK(organizational(resolver, "a.mail.example.com") == "example.com");
  }
  SECTION("psd=y at the start is the domain itself") {
    resolver.add_txt("_dmarc.gov.example", "v=DMARC1; p=reject; psd=y");
    CHECK(organizational(resolver, "gov.example") == "gov.example");
  }
  SECTION("nothing found: the domain itself") {
    CHECK(organizational(resolver, "a.example.com") == "a.example.com");
  }
  SECTION("two records at a name count as none") {
    resolver.add_txt("_dmarc.a.example.com", "v=DMARC1; p=none");
    resolver.add_txt("_dmarc.example.com", "v=DMARC1; p=none");
    resolver.add_txt("_dmarc.example.com", "v=DMARC1; p=reject");
    CHECK(organizational(resolver, "a.example.com") == "a.example.com");
  }
}

TEST_CASE("alignment_table") {
  struct Case {
    const char* record;
    const char* author;
    const char* spf;
    const char* dkim;
    Verdict wanted;
  };
  const Case cases[] = {
      {"v=DMARC1; p=reject", "example.com", "example.com", "", Verdict::pass},
      {"v=DMARC1; p=reject", "example.com", "mail.example.com", "", Verdict::pass},
      {"v=DMARC1; p=reject", "news.example.com", "mail.example.com", "", Verdict::pass},
      {"v=DMARC1; p=reject", "example.com", "", "mail.example.com", Verdict::pass},
      {"v=DMARC1; p=reject", "mail.example.com", "", "example.com", Verdict::pass},
      {"v=DMARC1; p=reject; aspf=s", "example.com", "mail.example.com", "", Verdict::fail},
      {"v=DMARC1; p=reject; adkim=s", "example.com", "", "mail.example.com", Verdict::fail},
      {"v=DMARC1; p=reject; aspf=s", "example.com", "", "mail.example.com", Verdict::pass},
      {"v=DMARC1; p=reject; adkim=s; aspf=s", "example.com", "example.com", "", Verdict::pass},
      {"v=DMARC1; p=reject", "example.com", "example.org", "example.net", Verdict::fail},
      {"v=DMARC1; p=reject", "example.com", "notexample.com", "", Verdict::fail},
      {"v=DMARC1; p=reject", "example.com", "com", "com", Verdict::fail},
      {"v=DMARC1; p=reject", "EXAMPLE.com.", "Example.COM", "", Verdict::pass},
  };
  for (const auto& one : cases) {
    test::FakeResolver resolver;
    resolver.add_txt("_dmarc.example.com", one.record);
    std::vector<dkim::SignatureResult> dkim;
    if (*one.dkim != '\0') dkim.push_back(dkim_of(one.dkim));
    const auto outcome = evaluate(resolver, one.author, spf_of(one.spf), dkim);
    INFO(one.record << " " << one.author << " " << one.spf << " " << one.dkim);
    CHECK(outcome.result == one.wanted);
  }
}

TEST_CASE("only_passes_count") {
  test::FakeResolver resolver;
  resolver.add_txt("_dmarc.example.com", "v=DMARC1; p=reject");
  CHECK(evaluate(resolver, "example.com", spf_of("example.com", spf::Verdict::softfail)).result ==
        Verdict::fail);
  CHECK(evaluate(resolver, "example.com", spf_of("x", spf::Verdict::none),
                 {dkim_of("example.com", dkim::Verdict::policy)})
            .result == Verdict::fail);
  CHECK(evaluate(resolver, "example.com", spf_of("x"),
                 {dkim_of("example.com", dkim::Verdict::temperror)})
            .result == Verdict::temperror);
  CHECK(evaluate(resolver, "example.com", spf_of("x"),
                 {dkim_of("example.org", dkim::Verdict::temperror)})
            .result == Verdict::fail);
}

TEST_CASE("subdomain_with_psd_n_is_its_own_organization") {
  test::FakeResolver resolver;
  resolver.add_txt("_dmarc.example.com", "v=DMARC1; p=reject");
  resolver.add_txt("_dmarc.tenant.example.com", "v=DMARC1; p=none; psd=n");
  CHECK(evaluate(resolver, "example.com", spf_of("tenant.example.com")).result == Verdict::fail);
  CHECK(evaluate(resolver, "tenant.example.com", spf_of("example.com")).result == Verdict::fail);
  CHECK(evaluate(resolver, "a.tenant.example.com", spf_of("b.tenant.example.com")).result ==
        Verdict::pass);
}

TEST_CASE("policy_that_applies") {
  test::FakeResolver resolver;
  resolver.add_txt("_dmarc.example.com", "v=DMARC1; p=none; sp=quarantine; np=reject");
  resolver.add_a("real.example.com", "192.0.2.1");
  CHECK(evaluate(resolver, "example.com").policy == dmarc::Policy::none);
  CHECK(evaluate(resolver, "real.example.com").policy == dmarc::Policy::quarantine);
  CHECK(evaluate(resolver, "made-up.example.com").policy == dmarc::Policy::reject);
  resolver.set_status("unknown.example.com", dns::Type::mx, dns::Status::temporary);
  CHECK(evaluate(resolver, "unknown.example.com").policy == dmarc::Policy::quarantine);

  resolver.add_txt("_dmarc.test.example", "v=DMARC1; p=reject; t=y");
  const auto testing = evaluate(resolver, "test.example");
  CHECK(testing.published == dmarc::Policy::reject);
  CHECK(testing.policy == dmarc::Policy::quarantine);
  resolver.add_txt("_dmarc.test2.example", "v=DMARC1; p=quarantine; t=y");
  CHECK(evaluate(resolver, "test2.example").policy == dmarc::Policy::none);

  resolver.add_txt("_dmarc.bank", "v=DMARC1; p=reject; psd=y; np=reject; sp=quarantine");
  resolver.add_mx("some.bank", 10, "mx.some.bank");
  CHECK(evaluate(resolver, "some.bank").policy == dmarc::Policy::quarantine);
  CHECK(evaluate(resolver, "nosuch.bank").policy == dmarc::Policy::reject);
}

TEST_CASE("no_record_is_none_and_no_answer_is_temperror") {
  test::FakeResolver resolver;
  CHECK(evaluate(resolver, "example.com").result == Verdict::none);
  resolver.set_status("_dmarc.example.com", dns::Status::temporary);
  CHECK(evaluate(resolver, "example.com").result == Verdict::temperror);
  CHECK(evaluate(resolver, "a.example.com").result == Verdict::temperror);
  CHECK(evaluate(resolver, "bad domain").result == Verdict::permerror);
}

TEST_CASE("half_a_tree_walk_judges_no_alignment") {
  test::FakeResolver resolver;
  resolver.add_txt("_dmarc.a.example.com", "v=DMARC1; p=reject");
  resolver.set_status("_dmarc.example.com", dns::Status::temporary);
  CHECK(evaluate(resolver, "a.example.com", spf_of("example.com")).result == Verdict::temperror);
  CHECK(evaluate(resolver, "a.example.com", spf_of("a.example.com")).result == Verdict::pass);
  CHECK(evaluate(resolver, "a.example.com", spf_of("example.com", spf::Verdict::fail)).result ==
        Verdict::fail);
}

TEST_CASE("author_domains_table") {
  using Domains = std::vector<std::string>;
  struct Case {
    const char* header;
    Domains wanted;  // empty: an error
  };
  const Case cases[] = {
      {"From: a@example.com\r\n", {"example.com"}},
      {"From: Joe <a@Example.COM>\r\n", {"example.com"}},
      {"From: \"x@evil.example\" <a@example.com>\r\n", {"example.com"}},
      {"From: (a@evil.example) a@example.com (hi)\r\n", {"example.com"}},
      {"From: \"a@b\"@example.com\r\n", {"example.com"}},
      {"From: a@example.com, b@example.org\r\n", {"example.com", "example.org"}},
      {"From: a@example.com, b@EXAMPLE.com\r\n", {"example.com"}},
      {"From: Group: a@example.com, b@example.com;\r\n", {"example.com"}},
      {"From:\r\n Joe\r\n <a@example.com>\r\n", {"example.com"}},
      {"FROM : a@b\xc3\xbc"
       "cher.example\r\n",
       {"xn--bcher-kva.example"}},
      {"From: x <a@example.com> <b@evil.example>\r\n", {}},
      {"From: a@evil.example <a@example.com> junk\r\n", {}},
      {"From: a@b@example.com\r\n", {}},
      {"From: a\r\n", {}},
      {"From: <>\r\n", {}},
      {"From: a@[192.0.2.1]\r\n", {}},
      {"From: <a@example.com\r\n", {}},
      {"From: \"open <a@example.com>\r\n", {}},
      {"From: Group:;\r\n", {}},
      {"From: a@example.com\r\nFrom: a@example.com\r\n", {}},
      {"To: a@example.com\r\n", {}},
  };
  for (const auto& one : cases) {
    INFO(one.header);
    const auto domains = dmarc::author_domains(one.header);
    CHECK(domains.has_value() == !one.wanted.empty());
    if (domains) CHECK(*domains == one.wanted);
  }
}

TEST_CASE("several_authors_the_worst_counts") {
  test::FakeResolver resolver;
  resolver.add_txt("_dmarc.example.com", "v=DMARC1; p=none");
  resolver.add_txt("_dmarc.example.org", "v=DMARC1; p=reject");
  const auto run = [&](std::vector<std::string> domains) {
    return test::run_task(
        dmarc::evaluate_all(resolver, std::move(domains), spf_of("example.com"), {}));
  };
  CHECK(run({"example.com"}).result == Verdict::pass);
  CHECK(run({"example.com", "example.org"}).policy == dmarc::Policy::reject);
  CHECK(run({"example.com", "example.org"}).result == Verdict::fail);
  CHECK(run({}).result == Verdict::permerror);
  CHECK(run({"a.com", "b.com", "c.com", "d.com", "e.com"}).result == Verdict::permerror);
}

TEST_CASE("domain_names_are_normalised") {
  CHECK(dkim::normalize_domain("Example.COM.") == "example.com");
  CHECK(dkim::normalize_domain("B\xc3\x9c"
                               "CHER.example") == "xn--bcher-kva.example");
  for (const char* bad :
       {"", ".", "a..b", ".a", "a b", "a@b", "[1.2.3.4]", "a\r\nb", "\xff.example"}) {
    CHECK_FALSE(dkim::normalize_domain(bad));
  }
  CHECK(dkim::normalize_domain(std::string(63, 'a') + ".b"));
  CHECK_FALSE(dkim::normalize_domain(std::string(64, 'a') + ".b"));
  std::string name = "a";
  while (name.size() < 253) name += ".a";
  CHECK(dkim::normalize_domain(name));
  CHECK_FALSE(dkim::normalize_domain("aa" + name));
  CHECK(dkim::registrable_domain("WWW.example.co.uk") == "example.co.uk");
  CHECK_FALSE(dkim::registrable_domain("co.uk"));
}
