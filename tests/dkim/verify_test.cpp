#include <atomic>
#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>
#include <thread>

#include "dkim/sign/signer.hpp"
#include "dkim/verify/verifier.hpp"
#include "tests/dkim/mail.hpp"
#include "tests/support/fake_resolver.hpp"
#include "tests/support/run_task.hpp"
#include "tests/support/suites.hpp"

using namespace postern;
using dkim::Verdict;

namespace {

struct Signed {
  test::FakeResolver resolver;
  std::vector<dkim::Selector> keys;
  std::string message;
};

void add_key(Signed& made, const char* selector, dkim::Algorithm algorithm) {
  auto pair = dkim::generate(algorithm);
  REQUIRE(pair);
  auto key = dkim::SigningKey::from_pem(pair->private_pem);
  REQUIRE(key);
  REQUIRE(key->dns_record().value() == pair->dns_record);
  made.resolver.add_txt(std::string(selector) + "._domainkey.example.com", pair->dns_record);
  made.keys.push_back({selector, *key});
}

constexpr const char* kMessage =
    "From: Joe <joe@example.com>\r\nTo: Sue <sue@example.net>\r\nSubject: Is dinner  ready?\r\n"
    "Date: Fri, 11 Jul 2003 21:00:37 -0700\r\nMessage-ID: <1@example.com>\r\nMIME-Version: 1.0\r\n"
    "\r\nHi.\r\n\r\nWe lost the game.  Are you hungry yet? \r\n\r\nJoe.\r\n\r\n\r\n";

void sign_with_both(Signed& made, const std::string& text = kMessage) {
  add_key(made, "r1", dkim::Algorithm::rsa2048);
  add_key(made, "e1", dkim::Algorithm::ed25519);
  auto fields = dkim::sign_message(text, "example.com", made.keys, test::test_now());
  REQUIRE(fields);
  made.message = *fields + text;
}

std::vector<dkim::SignatureResult> verify(test::FakeResolver& resolver, const std::string& message,
                                          Timestamp now = test::test_now()) {
  return test::run_task(dkim::verify(resolver, dkim::make_message(message), {now}));
}

void replace(std::string& text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("one_key_signs_on_several_threads_at_once") {
  const auto algorithm = GENERATE(dkim::Algorithm::rsa2048, dkim::Algorithm::ed25519);
  const auto key = dkim::SigningKey::from_pem(dkim::generate(algorithm)->private_pem);
  REQUIRE(key);
  const auto expected = key->sign("what is signed").value();  // both algorithms are deterministic
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) {
        const auto signature = key->sign("what is signed");
        if (signature && *signature == expected) ++good;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(good == 80);
}

TEST_CASE("both_our_signatures_verify_in_libopendkim") {
  Signed made;
  sign_with_both(made);
  const auto results = verify(made.resolver, made.message);
  REQUIRE(results.size() == 2);
  for (const auto& result : results) {
    INFO(result.reason);
    CHECK(result.result == Verdict::pass);
    CHECK(result.domain == "example.com");
  }
  CHECK(results[0].algorithm == "rsa-sha256");
  CHECK(results[0].bits == 2048);
  CHECK(results[1].algorithm == "ed25519-sha256");
  CHECK(results[1].bits == 256);
}

TEST_CASE("signature_fields_are_folded_and_complete") {
  Signed made;
  sign_with_both(made);
  std::istringstream lines(made.message.substr(0, made.message.find("From: ")));
  for (std::string line; std::getline(lines, line);) CHECK(line.size() <= 78);
  CHECK(made.message.find(" l=") == std::string::npos);
  CHECK(made.message.find("t=1700000000;") != std::string::npos);
  // Over-signed: From is there once and named twice.
  std::string field = made.message.substr(0, made.message.find("\r\n\tbh="));
  CHECK(made.message.find("From:From:") != std::string::npos);
}

TEST_CASE("signing_refuses_what_it_must_not_sign") {
  Signed made;
  add_key(made, "r1", dkim::Algorithm::rsa2048);
  CHECK_FALSE(dkim::sign_message("Subject: x\r\n\r\n", "example.com", made.keys, test::test_now()));
  CHECK_FALSE(dkim::sign_message("From: a@b\r\nFrom: c@d\r\n\r\n", "example.com", made.keys,
                                 test::test_now()));
  CHECK_FALSE(dkim::sign_message("From: a@b\r\n\r\n", "exa mple", made.keys, test::test_now()));
  CHECK_FALSE(dkim::SigningKey::from_pem("junk"));
}

TEST_CASE("bodies_of_difficult_shape_verify_in_libopendkim") {
  const char* bodies[] = {"",
                          "\r\n",
                          "\r\n\r\n\r\n",
                          " \r\n\t\r\n",
                          "a",
                          "a ",
                          "a\r\n\r\n\r\nb",
                          "a \r\n \r\nb\t\t\r\n\r\n \r\n",
                          "\t a\tb \r\n",
                          "no end of line",
                          "dots\r\n.\r\n..\r\n",
                          " lead\r\n  lead\r\n"};
  Signed made;
  add_key(made, "e1", dkim::Algorithm::ed25519);
  for (const char* body : bodies) {
    const std::string text = std::string(
                                 "From: a@example.com\r\nSubject:\t odd\r\n\tfold \r\nX: "
                                 "y\r\nTo:b@c\r\nTo : d@e\r\n\r\n") +
                             body;
    auto fields = dkim::sign_message(text, "example.com", made.keys, test::test_now());
    REQUIRE(fields);
    const auto results = verify(made.resolver, *fields + text);
    INFO(body << " " << results.at(0).reason);
    CHECK(results.at(0).result == Verdict::pass);
  }
}

TEST_CASE("changed_message_fails") {
  Signed made;
  sign_with_both(made);
  std::string body = made.message;
  replace(body, "lost the game", "won the game");
  for (const auto& result : verify(made.resolver, body)) CHECK(result.result == Verdict::fail);
  std::string subject = made.message;
  replace(subject, "dinner", "supper");
  for (const auto& result : verify(made.resolver, subject)) CHECK(result.result == Verdict::fail);
}

TEST_CASE("white_space_that_relaxed_forgives_passes") {
  Signed made;
  sign_with_both(made);
  std::string text = made.message;
  replace(text, "Subject: Is dinner  ready?", "SUBJECT:Is dinner ready?  ");
  for (const auto& result : verify(made.resolver, text)) CHECK(result.result == Verdict::pass);
}

TEST_CASE("second_from_never_passes") {
  Signed made;
  sign_with_both(made);
  for (const auto& result : verify(made.resolver, "From: evil@example.org\r\n" + made.message)) {
    CHECK(result.result == Verdict::permerror);
  }
}

TEST_CASE("second_subject_never_passes") {
  Signed made;
  sign_with_both(made);
  for (const auto& result : verify(made.resolver, "Subject: pay me\r\n" + made.message)) {
    CHECK(result.result != Verdict::pass);
  }
}

TEST_CASE("key_trouble_has_its_verdict") {
  Signed made;
  sign_with_both(made);
  const std::string name = "r1._domainkey.example.com";
  SECTION("temporary failure is temperror") {
    made.resolver.set_status(name, dns::Type::txt, dns::Status::temporary);
    const auto results = verify(made.resolver, made.message);
    CHECK(results[0].result == Verdict::temperror);
    CHECK(results[1].result == Verdict::pass);
  }
  SECTION("no record is permerror") {
    made.resolver.remove(name);
    CHECK(verify(made.resolver, made.message)[0].result == Verdict::permerror);
  }
  SECTION("revoked, foreign, malformed") {
    for (const char* record :
         {"v=DKIM1; p=", "v=DKIM2; p=AAAA", "v=DKIM1; k=rsa; p=AAAA", "v=DKIM1; k=ed25519; p=AAAA",
          "v=DKIM1; h=sha1; p=AAAA", "v=DKIM1; s=tlsrpt; p=AAAA", "junk", "p=AAAA; v=DKIM1", ""}) {
      made.resolver.remove(name);
      made.resolver.add_txt(name, record);
      INFO(record);
      CHECK(verify(made.resolver, made.message)[0].result == Verdict::permerror);
    }
  }
  SECTION("two records are permerror") {
    made.resolver.add_txt(name, "v=DKIM1; p=");
    CHECK(verify(made.resolver, made.message)[0].result == Verdict::permerror);
  }
}

TEST_CASE("signature_guard_refuses_before_the_library") {
  Signed made;
  sign_with_both(made);
  const std::string good = made.message.substr(0, made.message.find("DKIM-Signature", 5));
  struct Case {
    const char* from;
    const char* to;
    const char* reason;
  };
  const Case cases[] = {
      {"a=rsa-sha256", "a=rsa-sha1", "rsa-sha1 is not accepted (RFC 8301)"},
      {"a=rsa-sha256", "a=rsa-md5", "unknown algorithm"},
      {"v=1;", "v=2;", "unknown version"},
      {"v=1;", "v=1; v=1;", "the field is malformed"},
      {"v=1;", "v=1; i=x@example.org;", "i= is outside d="},
      {"v=1;", "v=1; i=@badexample.com;", "i= is outside d="},
      {"v=1;", "v=1; i=x@example.com=;", "i= is no identity"},
      {"v=1;", "v=1; i=x=4@example.com;", "i= is malformed"},
      {"v=1;", "v=1; l=-1;", "l= is malformed"},
      {"v=1;", "v=1; q=http;", "unknown query method"},
      {"v=1;", "v=1; x=1;", "x= is malformed"},
      {"t=1700000000", "t=1700000301", "t= is in the future"},
      {"c=relaxed/relaxed", "c=relaxed/odd", "unknown canonicalization"},
      {"h=From:From:", "h=", "From is not signed"},
      {"h=From:", "h=::", "h= is malformed"},
      {"d=example.com", "d=exa mple.com", "d= is no domain name"},
      {"s=r1", "s=", "s= is no selector"},
      {" bh=", " bh=AA", "bh= is malformed"},
  };
  for (const auto& one : cases) {
    std::string field = good;
    const auto at = field.find(one.from);
    if (at == std::string::npos) continue;
    replace(field, one.from, one.to);
    const auto results = verify(made.resolver, field + kMessage);
    INFO(one.to << ": " << results.at(0).reason);
    CHECK(results.at(0).result == Verdict::permerror);
    CHECK(results.at(0).reason == one.reason);
  }
}

TEST_CASE("expired_signature_fails") {
  Signed made;
  sign_with_both(made);
  std::string text = made.message;
  replace(text, "v=1;", "v=1; x=1700000010;");
  CHECK(verify(made.resolver, text, Timestamp{std::chrono::seconds{1'700'000'011}})[0].reason ==
        "the signature has expired");
}

TEST_CASE("more_than_ten_signatures_are_not_looked_at") {
  Signed made;
  sign_with_both(made);
  const std::string field = made.message.substr(0, made.message.find("DKIM-Signature", 5));
  std::string text;
  for (int i = 0; i < 14; ++i) text += field;
  const auto results = verify(made.resolver, text + kMessage);
  CHECK(results.size() == dkim::kMaxSignatures);
  for (const auto& result : results) CHECK(result.result == Verdict::pass);
}

TEST_CASE("odd_headers_do_no_harm") {
  Signed made;
  sign_with_both(made);
  const std::string odd =
      std::string(5000, 'n') +
      ": long name\r\nno colon here\r\n: no name\r\nX: " + std::string(70'000, 'v') + "\r\n";
  for (const auto& result : verify(made.resolver, odd + made.message))
    CHECK(result.result == Verdict::pass);
  CHECK(verify(made.resolver, "").empty());
  CHECK(verify(made.resolver, "\r\n").empty());
  CHECK(verify(made.resolver, "DKIM-Signature:").size() == 1);
}

TEST_CASE("large_body_yields_to_the_event_loop_and_passes") {
  Signed made;
  std::string text = kMessage;
  for (int i = 0; i < 60'000; ++i) text += "a line of some length, repeated \r\n";
  sign_with_both(made, text);
  for (const auto& result : verify(made.resolver, made.message))
    CHECK(result.result == Verdict::pass);
}

TEST_CASE("published_messages_verify") {
  const auto suite = test::require_suite("mail-auth/dkim");
  if (!suite) return;
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(*suite)) {
    std::ifstream in(entry.path());
    std::stringstream all;
    all << in.rdbuf();
    std::string text = test::with_crlf(all.str());
    test::FakeResolver resolver;
    // Lines of "name record", an empty line, the message.
    while (!text.starts_with("\r\n")) {
      const auto end = text.find("\r\n");
      const auto space = text.find(' ');
      resolver.add_txt(text.substr(0, space), text.substr(space + 1, end - space - 1));
      text.erase(0, end + 2);
    }
    text.erase(0, 2);
    const auto results = verify(resolver, text, Timestamp{std::chrono::seconds{1'667'900'000}});
    INFO(entry.path().filename().string());
    REQUIRE_FALSE(results.empty());
    for (const auto& result : results) {
      INFO(result.reason);
      CHECK(result.result == Verdict::pass);
    }
    ++files;
  }
  CHECK(files == 6);
}
