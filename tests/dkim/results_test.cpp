#include <catch2/catch.hpp>
#include <sstream>

#include "dkim/fields.hpp"
#include "dkim/results/authentication_results.hpp"

using namespace postern;

TEST_CASE("results_field_as_a_reader_expects_it") {
  dkim::ResultsInput input;
  input.authserv_id = "mx.example.org";
  spf::Outcome spf;
  spf.result = spf::Verdict::pass;
  spf.domain = "example.com";
  input.mail_from = spf;
  input.mail_from_address = "joe@example.com";
  spf.result = spf::Verdict::none;
  spf.reason = "no policy record";
  input.helo = spf;
  input.helo_name = "out.example.com";
  dkim::SignatureResult signature{.result = dkim::Verdict::pass,
                                  .domain = "example.com",
                                  .selector = "s1",
                                  .algorithm = "rsa-sha256",
                                  .signature = "abc+/d==",
                                  .bits = 2048};
  input.signatures.push_back(signature);
  dmarc::Outcome dmarc;
  dmarc.result = dmarc::Verdict::pass;
  dmarc.author_domain = "example.com";
  dmarc.record = dmarc::Record{};
  dmarc.published = dmarc::Policy::reject;
  input.dmarc = dmarc;
  input.disposition = "none";
  CHECK(dkim::render_authentication_results(input) ==
        "Authentication-Results: mx.example.org;\r\n"
        "\tspf=pass smtp.mailfrom=joe@example.com;\r\n"
        "\tspf=none reason=\"no policy record\" smtp.helo=out.example.com;\r\n"
        "\tdkim=pass (2048-bit key) header.d=example.com header.s=s1\r\n"
        "\theader.a=rsa-sha256 header.b=\"abc+/d==\";\r\n"
        "\tdmarc=pass (p=reject dis=none) header.from=example.com\r\n");
}

TEST_CASE("untrusted_values_stay_inside_their_quotes") {
  CHECK(dkim::quote_value("plain-Token_1.x") == "plain-Token_1.x");
  CHECK(dkim::quote_value("a b") == "\"a b\"");
  CHECK(dkim::quote_value("") == "\"\"");
  CHECK(dkim::quote_value("x; dmarc=pass") == "\"x; dmarc=pass\"");
  CHECK(dkim::quote_value("x\r\nEvil: yes") == "\"x??Evil: yes\"");
  CHECK(dkim::quote_value("q\"\\z") == "\"q\\\"\\\\z\"");
  CHECK(dkim::quote_value("joe@example.com") == "joe@example.com");
  CHECK(dkim::quote_value("a\"b@example.com") == "\"a\\\"b@example.com\"");
  CHECK(dkim::quote_value("a(c)@example.com") == "\"a(c)@example.com\"");
  CHECK(dkim::quote_value(std::string("n\0ul", 4)) == "\"n?ul\"");
  CHECK(dkim::quote_value(std::string(1000, 'a')).size() <= 257);
  CHECK(dkim::quote_comment("a) dmarc=pass (\r\n") == "a\\) dmarc=pass \\(??");
  dkim::ResultsInput input;
  input.authserv_id = "mx.example.org";
  spf::Outcome spf;
  input.mail_from = input.helo = spf;
  input.mail_from_address = "x\r\n\r\nbody";
  input.helo_name = "h\n; dkim=pass header.d=bank.example";
  const auto field = dkim::render_authentication_results(input);
  CHECK(dkim::split_fields(field).size() == 1);
  CHECK(field.find("\r\n\r\n") == std::string::npos);
  CHECK(field.find("\"h?; dkim=pass header.d=bank.example\"") != std::string::npos);
}

TEST_CASE("forged_results_are_found_in_every_disguise") {
  const std::string ours = "mx.example.org";
  const char* forged[] = {" mx.example.org; spf=pass",
                          "mx.example.org;spf=pass",
                          " MX.Example.ORG ; none",
                          " mx.example.org 1; spf=pass",
                          " mx.example.org. ; spf=pass",
                          " (c (nested) \\) x) mx.example.org (v) 1 (w) ; spf=pass",
                          "\r\n mx.example.org;\r\n spf=pass",
                          " \"mx.example.org\"; spf=pass",
                          " \"mx.\\example.org\"; spf=pass",
                          " mx.example.org",
                          " mx.example.org(comment); spf=pass",
                          " mx.example.org spf=pass",
                          " \"mx.example.org; spf=pass",
                          " x y mx.example.org; spf=pass",
                          " (unclosed mx.example.org; spf=pass"};
  for (const char* value : forged) {
    INFO(value);
    CHECK(dkim::claims_authserv_id(value, ours));
  }
  const char* foreign[] = {" mx.example.com; spf=pass",
                           " notmx.example.org; x=mx.example.org",
                           " mx.example.org.evil.example; spf=pass smtp.helo=mx.example.org",
                           " (mx.example.org) other; none",
                           " \"a b\"; none",
                           ""};
  for (const char* value : foreign) {
    INFO(value);
    CHECK_FALSE(dkim::claims_authserv_id(value, ours));
  }
}

TEST_CASE("stripping_leaves_every_other_byte") {
  const std::string header =
      "Received: x\r\nAuthentication-Results: "
      "mx.example.org;\r\n\tspf=pass\r\nAUTHENTICATION-RESULTS : mx.example.org; a\r\n"
      "Authentication-Results: other.example; dkim=pass\r\nodd line\r\nX-Authentication-Results: "
      "mx.example.org; b\r\nSubject: y\r\n";
  CHECK(dkim::without_forged_results(header, "mx.example.org") ==
        "Received: x\r\nAuthentication-Results: other.example; dkim=pass\r\nodd line\r\n"
        "X-Authentication-Results: mx.example.org; b\r\nSubject: y\r\n");
  CHECK(dkim::without_forged_results("", "mx.example.org").empty());
  std::string many;
  for (int i = 0; i < 5000; ++i) many += "X: y\r\n";
  CHECK(dkim::without_forged_results(many + "Authentication-Results: mx.example.org; a\r\n",
                                     "mx.example.org") == many);
}
