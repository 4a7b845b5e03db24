#include <catch2/catch.hpp>
#include <string>

#include "smtp/protocol/command.hpp"
#include "smtp/protocol/xtext.hpp"

using namespace postern::smtp;

namespace {

struct Refused {
  std::string text;
  int code;
};

template <auto Parse>
void check_refused(const std::vector<Refused>& table) {
  for (const auto& row : table) {
    INFO(row.text);
    const auto parsed = Parse(row.text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == row.code);
    CHECK(parsed.error().status.klass == 5);
  }
}

}  // namespace

TEST_CASE("verb_is_split_and_upper_cased") {
  CHECK(split_verb("mail FROM:<a@b>").name == "MAIL");
  CHECK(split_verb("mail FROM:<a@b>").arguments == "FROM:<a@b>");
  CHECK(split_verb("RSET").arguments.empty());
  CHECK(split_verb("RSET  ").arguments.empty());
  CHECK(split_verb("NOOP   x y  ").arguments == "x y");
  CHECK(split_verb("").name.empty());
  CHECK(split_verb(" MAIL").name.empty());
  CHECK(split_verb(std::string(500, 'x')).name.size() <= 16);
  CHECK(split_verb("MAIL\tFROM").name == "MAIL\tFROM");
}

TEST_CASE("mail_parameters_become_values") {
  const auto mail = parse_mail(
      "FROM:<a@b.example> SIZE=1000 body=8bitmime SMTPUTF8 RET=HDRS ENVID=QQ+2B314 AUTH=<>");
  REQUIRE(mail);
  CHECK(mail->return_path == Path{"a", "b.example"});
  CHECK(mail->size == 1000);
  CHECK(mail->body == Body::eight_bit_mime);
  CHECK(mail->charset == Charset::utf8);
  CHECK(mail->ret == Ret::headers);
  CHECK(mail->envid == "QQ+314");
  CHECK(mail->parameters == Parameters::present);
}

TEST_CASE("mail_null_path_and_spaces") {
  REQUIRE(parse_mail("FROM:<>"));
  CHECK(parse_mail("FROM:<>")->return_path.is_null());
  CHECK(parse_mail("from: <a@b>"));
  CHECK(parse_mail("FROM:<>")->parameters == Parameters::absent);
  CHECK(parse_mail("FROM:<> BODY=7BIT")->parameters == Parameters::present);
  CHECK(parse_mail("FROM:<\xC3\xA9@b> SMTPUTF8"));
  CHECK(parse_mail("FROM:<a@b> AUTH=e+3Dmc2@example.com"));
}

TEST_CASE("mail_malformed_is_refused") {
  check_refused<parse_mail>({
      {"", 501},
      {"<a@b>", 501},
      {"FROM <a@b>", 501},
      {"FROM:a@b", 501},
      {"FROM:", 501},
      {"FROM:  <a@b>", 501},
      {"FROM:<a@b>x", 501},
      {"FROM:<>x", 501},
      {"FROM:<a@b>SIZE=1", 501},
      {"FROM:<a@b>  SIZE=1", 501},
      {"FROM:<a@b> SIZE", 501},
      {"FROM:<a@b> SIZE=", 501},
      {"FROM:<a@b> SIZE=x", 501},
      {"FROM:<a@b> SIZE=-1", 501},
      {"FROM:<a@b> SIZE=1x", 501},
      {"FROM:<a@b> SIZE=111111111111111111111", 501},
      {"FROM:<a@b> SIZE=1 SIZE=1", 501},
      {"FROM:<a@b> BODY", 501},
      {"FROM:<a@b> BODY=BINARYMIME", 501},
      {"FROM:<a@b> BODY=7BIT BODY=8BITMIME", 501},
      {"FROM:<a@b> SMTPUTF8=1", 501},
      {"FROM:<a@b> SMTPUTF8 SMTPUTF8", 501},
      {"FROM:<a@b> RET=ALL", 501},
      {"FROM:<a@b> RET=FULL RET=HDRS", 501},
      {"FROM:<a@b> ENVID", 501},
      {"FROM:<a@b> ENVID=", 501},
      {"FROM:<a@b> ENVID=+zz", 501},
      {"FROM:<a@b> ENVID=+2b", 501},
      {"FROM:<a@b> ENVID=a+0D+0ABcc:x", 501},
      {"FROM:<a@b> ENVID=a ENVID=a", 501},
      {"FROM:<a@b> AUTH", 501},
      {"FROM:<a@b> AUTH=+", 501},
      {"FROM:<a@b> -X=1", 501},
      {"FROM:<a@b> A=b=c", 501},
      {"FROM:<a@b> =", 501},
      {"FROM:<a@b> UNKNOWN=1", 555},
      {"FROM:<a@b> NOTIFY=NEVER", 555},
      {"FROM:<\xC3\xA9@b>", 550},
  });
  std::string many = "FROM:<a@b>";
  for (int i = 0; i < 17; ++i) many += " AUTH=<>";
  CHECK_FALSE(parse_mail(many));
}

TEST_CASE("mail_size_beyond_64_bits_is_the_largest") {
  REQUIRE(parse_mail("FROM:<a@b> SIZE=18446744073709551615"));
  CHECK(parse_mail("FROM:<a@b> SIZE=18446744073709551615")->size == UINT64_MAX);
  CHECK(parse_mail("FROM:<a@b> SIZE=18446744073709551616")->size == UINT64_MAX);
  CHECK(parse_mail("FROM:<a@b> SIZE=99999999999999999999")->size == UINT64_MAX);
  CHECK(parse_mail("FROM:<a@b> SIZE=00000000000000000001")->size == 1);
}

TEST_CASE("mail_envid_limit_is_100_encoded") {
  CHECK(parse_mail("FROM:<a@b> ENVID=" + std::string(99, 'x')));
  CHECK(parse_mail("FROM:<a@b> ENVID=" + std::string(100, 'x')));
  CHECK_FALSE(parse_mail("FROM:<a@b> ENVID=" + std::string(101, 'x')));
}

TEST_CASE("rcpt_parameters_become_values") {
  const auto rcpt =
      parse_rcpt("TO:<Bob@x.example> NOTIFY=SUCCESS,delay ORCPT=rfc822;Bob+2BX@x.example");
  REQUIRE(rcpt);
  CHECK(rcpt->recipient.path == Path{"Bob", "x.example"});
  CHECK(rcpt->recipient.notify == Notify{false, true, false, true});
  CHECK(rcpt->recipient.original == OriginalRecipient{"rfc822", "Bob+X@x.example"});
  CHECK(to_string(rcpt->recipient.notify) == "SUCCESS,DELAY");
  CHECK(parse_rcpt("TO:<a@b> NOTIFY=NEVER")->recipient.notify.never);
  CHECK(parse_rcpt("TO:<a@b> ORCPT=utf-8;\xC3\xA9@x")->recipient.original->address == "\xC3\xA9@x");
}

TEST_CASE("rcpt_postmaster_needs_no_domain") {
  REQUIRE(parse_rcpt("TO:<PostMaster>"));
  CHECK(parse_rcpt("TO:<PostMaster>")->recipient.path == Path{"postmaster", ""});
  CHECK(parse_rcpt("to:<postmaster@x>")->recipient.path == Path{"postmaster", "x"});
}

TEST_CASE("rcpt_malformed_is_refused") {
  check_refused<parse_rcpt>({
      {"", 501},
      {"TO:", 501},
      {"TO:<>", 501},
      {"TO:<user>", 501},
      {"TO:<a@b>x", 501},
      {"TO:<postmaster>x", 501},
      {"FROM:<a@b>", 501},
      {"TO:<a@b> NOTIFY", 501},
      {"TO:<a@b> NOTIFY=", 501},
      {"TO:<a@b> NOTIFY=NEVER,SUCCESS", 501},
      {"TO:<a@b> NOTIFY=SUCCESS,NEVER", 501},
      {"TO:<a@b> NOTIFY=SUCCESS,SUCCESS", 501},
      {"TO:<a@b> NOTIFY=SUCCESS,", 501},
      {"TO:<a@b> NOTIFY=SUCCESS NOTIFY=DELAY", 501},
      {"TO:<a@b> NOTIFY=SUCCESS,FAILURE,DELAY,SUCCESS", 501},
      {"TO:<a@b> ORCPT", 501},
      {"TO:<a@b> ORCPT=rfc822", 501},
      {"TO:<a@b> ORCPT=;a@b", 501},
      {"TO:<a@b> ORCPT=rfc822;", 501},
      {"TO:<a@b> ORCPT=rfc822;a+0Ab", 501},
      {"TO:<a@b> ORCPT=rfc822;\xC3\xA9", 501},
      {"TO:<a@b> ORCPT=rfc822;a ORCPT=rfc822;a", 501},
      {"TO:<a@b> SIZE=1", 555},
  });
  const std::string prefix = "TO:<a@b> ORCPT=rfc822;";
  CHECK(parse_rcpt(prefix + std::string(493, 'x')));
  CHECK_FALSE(parse_rcpt(prefix + std::string(494, 'x')));
}

TEST_CASE("bdat_size_and_end") {
  CHECK(parse_bdat("0")->size == 0);
  CHECK(parse_bdat("86")->chunk == Chunk::more);
  CHECK(parse_bdat("0 LAST")->chunk == Chunk::last);
  CHECK(parse_bdat("18446744073709551615 last")->size == UINT64_MAX);
  check_refused<parse_bdat>({{"", 501},
                             {"LAST", 501},
                             {"-1", 501},
                             {"+1", 501},
                             {"0x10", 501},
                             {"1 LASTX", 501},
                             {"1  LAST", 501},
                             {"1 LAST x", 501},
                             {"1,2", 501},
                             {"18446744073709551616", 501}});
}

TEST_CASE("hello_names") {
  for (const std::string name : {"client.example", "[192.0.2.1]", "[IPv6:::1]", "DESKTOP_1",
                                 "localhost", "\xC3\xA9.example"}) {
    CHECK(parse_ehlo(name));
    CHECK(parse_helo(name));
  }
  for (const std::string name :
       {"", "a b", "(x)", "a;b", "<a>", "[192.0.2.1", "a\"b", "a\tb", "[1.2.3]", "a\xFF"}) {
    INFO(name);
    CHECK_FALSE(parse_ehlo(name));
  }
  CHECK(parse_ehlo(std::string(255, 'a')));
  CHECK_FALSE(parse_ehlo(std::string(256, 'a')));
}

TEST_CASE("auth_mechanism_and_initial_response") {
  CHECK(parse_auth("plain")->mechanism == "PLAIN");
  CHECK_FALSE(parse_auth("PLAIN")->initial);
  CHECK(parse_auth("PLAIN =")->initial == "=");
  CHECK(parse_auth("PLAIN AGEAYg==")->initial == "AGEAYg==");
  check_refused<parse_auth>({{"", 501}, {"PLAIN a b", 501}, {"PLAIN @@", 501}, {"PL@IN", 501}});
}

TEST_CASE("commands_without_argument_refuse_one") {
  CHECK(parse_data(""));
  CHECK(parse_rset(""));
  CHECK(parse_quit(""));
  CHECK(parse_starttls(""));
  CHECK(parse_noop("anything"));
  CHECK(parse_data("x").error().code == 501);
  CHECK(parse_rset("x").error().code == 501);
  CHECK(parse_quit("x").error().code == 501);
  CHECK(parse_starttls("x").error().code == 501);
  CHECK(parse_vrfy("").error().code == 501);
}

TEST_CASE("xtext_round_trip_and_refusals") {
  CHECK(encode_xtext("a+b=c d") == "a+2Bb+3Dc+20d");
  CHECK(decode_xtext("a+2Bb+3Dc+20d") == "a+b=c d");
  CHECK(decode_xtext("") == "");
  for (const std::string bad : {"+", "+2", "+2b", "+GG", "a b", "a=b", "+00", "+7F", "\x80"})
    CHECK_FALSE(decode_xtext(bad));
}
