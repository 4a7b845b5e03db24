#include "accounts/factors/password_policy.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using namespace postern;
using namespace postern::accounts;

namespace {

constexpr PasswordContext kAlice{"alice.liddell@wonderland.example", "Alice Liddell",
                                 "Rabbit Hole Trading", "postern"};

Errc refusal(std::string_view password, const PasswordContext& context = kAlice) {
  const auto outcome = check_new_password(password, context);
  INFO(password);
  REQUIRE_FALSE(outcome);
  CHECK_FALSE(outcome.error().message.empty());
  return outcome.error().code;
}

}  // namespace

TEST_CASE("common_passwords_are_refused_however_long") {
  for (const std::string password :
       {"password1234",
        "Password1234",
        "P@ssw0rd1234",
        "qwertyuiop12",
        "qwertyqwerty",
        "1qaz2wsx3edc",
        "123456789012",
        "iloveyou1234",
        "adminadmin12",
        "passwordpassword",
        "changeme1234",
        "trustno1trustno1",
        "letmein12345",
        "abcdefghijkl",
        "aaaaaaaaaaaa",
        "abcabcabcabc",
        "Summer2024!!",
        "zxcvbnm12345",
        "01/02/1990 1990",
        "йййййййййййй",
        "            ",
        "1qaz2wsx3edc4rfv",
        "azertyuiop12",
        "football1234",
        "111111111111111111111111111111111111111111111111111111111111111111111111111111"}) {
    CHECK(refusal(password) == Errc::invalid);
  }
}

TEST_CASE("passphrases_and_random_passwords_pass") {
  for (const std::string password :
       {"marmot velvet ninety pickle", "kettle-orbit-sandal-frost", "tall ships sail west again",
        "k7#Qz9!mWx2p", "grün spät Käse Flöte", "vier Igel zählen Sterne",
        "bx7gh-q2mne-w9rka-tt4zp-c8uvd"}) {
    INFO(password);
    CHECK(check_new_password(password, kAlice));
  }
}

TEST_CASE("what_is_known_of_the_person_counts_for_nothing") {
  for (const std::string password :
       {"alice.liddell@wonderland.example", "Alice.Liddell@Wonderland.example", "aliceliddell",
        "liddell.alice1", "wonderland12", "Wonderland2026", "rabbit hole trading",
        "RabbitHoleTrading1", "postern12345", "Postern2026!", "alicepostern1"}) {
    CHECK(refusal(password) == Errc::invalid);
  }
  // The same words, when they are nobody's.
  const PasswordContext nobody{"", "", "", ""};
  CHECK(check_new_password("RabbitHoleTrading1", nobody));
  CHECK(check_new_password("xiuhtezcatl quetzal", nobody));
  CHECK(refusal("xiuhtezcatl quetzal", {"quetzal@x.example", "Xiuhtezcatl", "", ""}) ==
        Errc::invalid);
}

TEST_CASE("own_address_beyond_what_is_judged_is_still_found") {
  const auto email =
      std::string(64, 'q').replace(3, 20, "vbnxk7cmwpz2ltr9dhgf") + "@" + "zr4kqm8tvx1w.example";
  const PasswordContext person{email, "", "", "postern"};
  CHECK(refusal(email, person) == Errc::invalid);
  CHECK(check_new_password(email, {"", "", "", ""}));
}

TEST_CASE("password_length_counts_code_points_below_and_octets_above") {
  const std::string eleven = "k7#Qz9!mWx2";
  CHECK(refusal(eleven) == Errc::invalid);
  CHECK(check_new_password(eleven + "p", kAlice));
  // Eleven characters of two octets each, and a twelfth.
  const std::string umlauts = "äöüßéèñçøåû";
  CHECK(umlauts.size() == 22);
  CHECK(refusal(umlauts) == Errc::invalid);
  CHECK(check_new_password(umlauts + "w", kAlice));
  CHECK(refusal("") == Errc::invalid);

  std::string longest = "marmot velvet ninety pickle ";
  while (longest.size() < kMaxPersonPassword) longest += 'x';
  CHECK(check_new_password(longest.substr(0, kMaxPersonPassword - 1), kAlice));
  CHECK(check_new_password(longest, kAlice));
  CHECK(refusal(longest + "x") == Errc::too_large);
}

TEST_CASE("password_that_is_no_text_is_refused") {
  for (const auto& password :
       {std::string("k7#Qz9!mWx2p\xff"), std::string("k7#Qz9!mWx2p\xc3"),
        std::string("k7#Qz9!mWx2p\xc0\xaf"), std::string("k7#Qz9!mWx2p\xed\xa0\x80"),
        std::string("k7#Qz9!mWx2p\0z", 14), std::string("k7#Qz9!mWx2p\n"),
        std::string("k7#Qz9!mWx2p\x7f")}) {
    CHECK(refusal(password) == Errc::invalid);
  }
}

TEST_CASE("refusal_does_not_repeat_the_password") {
  const auto outcome = check_new_password("iloveyou1234", kAlice);
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().message.find("iloveyou") == std::string::npos);
}

TEST_CASE("context_without_bounds_does_not_matter") {
  std::string many;
  for (int i = 0; i < 10'000; ++i) many += "word" + std::to_string(i) + " ";
  const PasswordContext context{many, std::string_view("a\0b\nc", 5), "\xff\xfe", ""};
  CHECK(check_new_password("marmot velvet ninety pickle", context));
}

TEST_CASE("password_is_judged_by_its_first_64_octets") {
  const std::string strong = "marmot velvet ninety pickle";
  std::string weak;
  while (weak.size() < 64) weak += "password";
  CHECK(refusal(weak + strong) == Errc::invalid);
  CHECK(check_new_password(weak.substr(0, 32) + strong, kAlice));
  // The cut falls into a character; what is judged stays text.
  CHECK(check_new_password(strong + std::string(36, '-') + "\xc3\xa4" + strong, kAlice));
}
