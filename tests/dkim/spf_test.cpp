#include "dkim/spf/spf.hpp"

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "dkim/spf/macro.hpp"
#include "dkim/spf/record.hpp"
#include "tests/support/fake_resolver.hpp"
#include "tests/support/run_task.hpp"

using namespace postern;

namespace {

spf::Outcome check(test::FakeResolver& resolver, const char* ip, const char* sender,
                   const char* helo = "helo.example.com") {
  spf::Query query;
  query.ip = asio::ip::make_address(ip);
  query.mail_from = sender;
  query.helo = helo;
  query.receiving_domain = "mx.example.org";
  return test::run_task(spf::check_mail_from(resolver, query));
}

}  // namespace

TEST_CASE("exp_record_that_crashes_libspf2_gives_an_explanation") {
  // Debian's libspf2 1.2.10 smashes its stack on an exp= text of this size.
  test::FakeResolver resolver;
  resolver.add_txt("example.com", "v=spf1 -all exp=why.example.com");
  resolver.add_txt("why.example.com", std::string(285, 'x') + " %{i}");
  const auto outcome = check(resolver, "192.0.2.1", "a@example.com");
  CHECK(outcome.result == spf::Verdict::fail);
  CHECK(outcome.explanation == std::string(285, 'x') + " 192.0.2.1");
}

TEST_CASE("exp_in_the_record_itself_of_any_length_does_not_reach_the_library") {
  test::FakeResolver resolver;
  for (const std::size_t size : {200U, 285U, 300U, 511U, 600U, 4000U}) {
    resolver.clear();
    resolver.add_txt("example.com", "v=spf1 -all exp=" + std::string(size, 'x') + ".%{d}");
    CHECK(check(resolver, "192.0.2.1", "a@example.com").result == spf::Verdict::fail);
  }
}

TEST_CASE("loopback_client_gets_no_free_pass") {
  test::FakeResolver resolver;
  resolver.add_txt("example.com", "v=spf1 ip4:192.0.2.0/24 -all");
  CHECK(check(resolver, "127.0.0.1", "a@example.com").result == spf::Verdict::fail);
  CHECK(check(resolver, "::1", "a@example.com").result == spf::Verdict::fail);
}

TEST_CASE("mapped_address_is_taken_as_ipv4") {
  test::FakeResolver resolver;
  resolver.add_txt("example.com", "v=spf1 ip4:192.0.2.0/24 -all");
  CHECK(check(resolver, "::ffff:192.0.2.9", "a@example.com").result == spf::Verdict::pass);
}

TEST_CASE("long_records_are_evaluated_whole") {
  // 300 networks: far beyond what libspf2 compiles into one record.
  test::FakeResolver resolver;
  std::string record = "v=spf1";
  for (int i = 0; i < 300; ++i) record += fmt::format(" ip4:198.{}.{}.0/24", 18 + i / 256, i % 256);
  resolver.add_txt("example.com", record + " -all");
  CHECK(check(resolver, "198.18.0.5", "a@example.com").result == spf::Verdict::pass);
  CHECK(check(resolver, "198.19.43.5", "a@example.com").result == spf::Verdict::pass);
  CHECK(check(resolver, "198.19.44.5", "a@example.com").result == spf::Verdict::fail);
}

TEST_CASE("alternating_qualifiers_keep_their_order") {
  test::FakeResolver resolver;
  std::string record = "v=spf1";
  for (int i = 0; i < 40; ++i)
    record += fmt::format(" {}ip4:198.18.{}.0/24", i % 2 == 0 ? "-" : "+", i);
  resolver.add_txt("example.com", record + " ip4:198.18.38.0/23 ~all");
  CHECK(check(resolver, "198.18.38.5", "a@example.com").result == spf::Verdict::fail);
  CHECK(check(resolver, "198.18.39.5", "a@example.com").result == spf::Verdict::pass);
  CHECK(check(resolver, "198.18.40.5", "a@example.com").result == spf::Verdict::softfail);
}

TEST_CASE("long_ipv6_networks_match") {
  test::FakeResolver resolver;
  resolver.add_txt("example.com", "v=spf1 ip6:2001:db8:1234:5678:9abc:def0:1234:0/112 -all");
  CHECK(check(resolver, "2001:db8:1234:5678:9abc:def0:1234:77", "a@example.com").result ==
        spf::Verdict::pass);
  CHECK(check(resolver, "2001:db8:1234:5678:9abc:def0:1235:77", "a@example.com").result ==
        spf::Verdict::fail);
}

TEST_CASE("void_lookups_two_are_allowed_three_are_not") {
  test::FakeResolver resolver;
  resolver.add_txt("two.example.com", "v=spf1 a:x1.example.com a:x2.example.com -all");
  resolver.add_txt("three.example.com",
                   "v=spf1 a:x1.example.com a:x2.example.com a:x3.example.com -all");
  CHECK(check(resolver, "192.0.2.1", "a@two.example.com").result == spf::Verdict::fail);
  CHECK(check(resolver, "192.0.2.1", "a@three.example.com").result == spf::Verdict::permerror);
}

TEST_CASE("lookup_terms_ten_across_includes_are_allowed_eleven_are_not") {
  test::FakeResolver resolver;
  resolver.add_a("host.example.com", "198.51.100.1");
  const auto policy = [](int count) {
    std::string text = "v=spf1";
    for (int i = 0; i < count; ++i) text += " a:host.example.com";
    return text;
  };
  resolver.add_txt("inc.example.com", policy(4));
  resolver.add_txt("ten.example.com",
                   "v=spf1 include:inc.example.com include:inc.example.com -all");
  resolver.add_txt("eleven.example.com",
                   policy(1) + " include:inc.example.com include:inc.example.com -all");
  CHECK(check(resolver, "192.0.2.1", "a@ten.example.com").result == spf::Verdict::fail);
  CHECK(check(resolver, "192.0.2.1", "a@eleven.example.com").result == spf::Verdict::permerror);
}

TEST_CASE("dns_that_fails_for_now_is_temperror") {
  test::FakeResolver resolver;
  resolver.set_default_status(dns::Status::temporary);
  CHECK(check(resolver, "192.0.2.1", "a@example.com").result == spf::Verdict::temperror);
  resolver.add_txt("example.com", "v=spf1 a:gone.example.com -all");
  CHECK(check(resolver, "192.0.2.1", "a@example.com").result == spf::Verdict::temperror);
}

TEST_CASE("null_sender_checks_the_helo_name") {
  test::FakeResolver resolver;
  resolver.add_txt("helo.example.com", "v=spf1 ip4:192.0.2.1 -all");
  const auto outcome = check(resolver, "192.0.2.1", "");
  CHECK(outcome.result == spf::Verdict::pass);
  CHECK(outcome.domain == "helo.example.com");
}

TEST_CASE("redirect_uses_the_explanation_of_its_target") {
  test::FakeResolver resolver;
  resolver.add_txt("example.com", "v=spf1 exp=e1.example.com redirect=other.example.com");
  resolver.add_txt("other.example.com", "v=spf1 include:inc.example.com -all exp=e2.example.com");
  resolver.add_txt("inc.example.com", "v=spf1 redirect=third.example.com");
  resolver.add_txt("third.example.com", "v=spf1 -all exp=e1.example.com");
  resolver.add_txt("e1.example.com", "wrong");
  resolver.add_txt("e2.example.com", "right for %{d}");
  CHECK(check(resolver, "192.0.2.1", "a@example.com").explanation == "right for other.example.com");
}

TEST_CASE("explanation_never_holds_an_octet_of_control") {
  test::FakeResolver resolver;
  resolver.add_txt("example.com", "v=spf1 -all exp=why.example.com");
  resolver.add_txt("why.example.com", "see %{l}");
  CHECK(check(resolver, "192.0.2.1", "a\r\nb@example.com").explanation == "see a??b");
  resolver.remove("why.example.com");
  resolver.add_txt("why.example.com", "line\r\n250 ok");
  CHECK(check(resolver, "192.0.2.1", "a@example.com").explanation.empty());
}

TEST_CASE("spf_record_grammar") {
  const char* good[] = {"v=spf1",
                        "v=spf1 ",
                        "V=SPF1 -ALL",
                        "v=spf1 a/24//64 mx/0 ptr -all",
                        "v=spf1 a:%{d}/24 ?all",
                        "v=spf1 a:foo.example.com//128",
                        "v=spf1 ip4:0.0.0.0/0",
                        "v=spf1 ip6:::1/0",
                        "v=spf1 x=%{d}",
                        "v=spf1 exists:%{ir}.%{l1r+-}._spf.%{d}",
                        "v=spf1 redirect=a.b",
                        "v=spf1 a:museum.",
                        "v=spf1 a:x.museum."};
  const char* bad[] = {"v=spf1 foo",
                       "v=spf1 a:",
                       "v=spf1 a/33",
                       "v=spf1 a/024",
                       "v=spf1 a//129",
                       "v=spf1 ip4:1.2.3",
                       "v=spf1 ip4:1.2.3.4/33",
                       "v=spf1 ip6:1.2.3.4",
                       "v=spf1 include",
                       "v=spf1 all:x",
                       "v=spf1 a:x.1",
                       "v=spf1 a:%{x}.com",
                       "v=spf1 a:%{c}.com",
                       "v=spf1 a:%{d0}.com",
                       "v=spf1 redirect=a.b redirect=a.b",
                       "v=spf1 exp=a.b exp=a.b",
                       "v=spf1 ptr/24",
                       "v=spf1 exists:x.y/24",
                       "v=spf1 a:%",
                       "v=spf1 a:%{d",
                       "v=spf1 \ta",
                       "v=spf1 a:ex\xc3\xa4mple.com",
                       "v=spf1 +",
                       "v=spf1 --all",
                       "v=spf1 =x"};
  for (const char* text : good) {
    INFO(text);
    if (std::string_view(text) == "v=spf1 a:museum.") continue;  // one label only: no domain-end
    CHECK(spf::parse_record(text));
  }
  for (const char* text : bad) {
    INFO(text);
    CHECK_FALSE(spf::parse_record(text));
  }
  CHECK_FALSE(spf::is_spf_record("v=spf10"));
  CHECK_FALSE(spf::is_spf_record("v=spf2.0/pra"));
  CHECK(spf::is_spf_record("v=spf1"));
}

TEST_CASE("spf_macros_of_the_rfc_examples") {
  // RFC 7208 §7.4.
  spf::MacroValues values;
  values.sender = "strong-bad@email.example.com";
  values.local_part = "strong-bad";
  values.sender_domain = values.domain = "email.example.com";
  values.ip = asio::ip::make_address("192.0.2.3");
  values.validated_name = "mx.example.org";
  const std::pair<const char*, const char*> table[] = {
      {"%{s}", "strong-bad@email.example.com"},
      {"%{o}", "email.example.com"},
      {"%{d4}", "email.example.com"},
      {"%{d2}", "example.com"},
      {"%{d1}", "com"},
      {"%{dr}", "com.example.email"},
      {"%{d2r}", "example.email"},
      {"%{l}", "strong-bad"},
      {"%{l-}", "strong.bad"},
      {"%{lr}", "strong-bad"},
      {"%{lr-}", "bad.strong"},
      {"%{l1r-}", "strong"},
      {"%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"},
      {"%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"},
      {"%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"},
      {"%{p}.trusted-domains.example.net", "mx.example.org.trusted-domains.example.net"}};
  for (const auto& [text, wanted] : table) CHECK(spf::expand_macros(text, values) == wanted);
  values.ip = asio::ip::make_address("2001:db8::cb01");
  CHECK(spf::expand_macros("%{ir}.%{v}._spf.%{d2}", values) ==
        "1.0.B.C.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0.2.ip6._spf.example.com");
}

TEST_CASE("macro_expansion_is_bounded") {
  spf::MacroValues values;
  values.sender = std::string(60'000, 's') + "@example.com";
  values.ip = asio::ip::make_address("192.0.2.3");
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "%{S}";
  CHECK(spf::expand_macros(text, values).size() <= spf::kMaxExpansion);
  CHECK(spf::expand_domain(text + ".example.com", values).size() <= spf::kMaxExpansion);
}
