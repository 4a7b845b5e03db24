#include "accounts/factors/one_time_token.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <set>
#include <stdexcept>
#include <string>

#include "core/encoding.hpp"

using namespace postern;
using namespace postern::accounts;

namespace {

// Python: body = base64url of bytes 0..31; checksum = the first 30 bits of
// SHA-256("postern token checksum 1:" + prefix + body), five bits a character; then SHA-256 of all.
const std::string kToken = "pst_key_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8m5djhe";
constexpr std::string_view kDigest =
    "486f9ed15da75b7057ea2a0e3a0370b6549446284961b5b0a977c4801a4879b0";

const std::string kKey(32, '\x0b');

}  // namespace

TEST_CASE("secret_token_digest_is_sha256_of_the_text") {
  const auto digest = token_digest(kToken);
  REQUIRE(digest);
  CHECK(hex_encode(*digest) == kDigest);
  CHECK(token_digest(kToken, kApiKeyPrefix) == digest);
}

TEST_CASE("secret_tokens_are_recognisable_and_fresh") {
  std::set<std::string> seen;
  for (int i = 0; i < 200; ++i) {
    const auto token = make_secret_token(kLinkPrefix);
    CHECK(token.starts_with("pst_link_"));
    CHECK(token.size() == kLinkPrefix.size() + 43 + 6);
    CHECK(token_digest(token));
    CHECK(token_digest(token, kLinkPrefix));
    seen.insert(token);
  }
  CHECK(seen.size() == 200);
}

TEST_CASE("secret_token_of_another_kind_is_refused") {
  const auto link = make_secret_token(kLinkPrefix);
  CHECK_FALSE(token_digest(link, kApiKeyPrefix));
  CHECK_FALSE(token_digest(link, "link_"));
  CHECK_FALSE(token_digest(link, "pst_"));
  CHECK_FALSE(token_digest(link, ""));
  CHECK_FALSE(token_digest("pst_link_" + kToken.substr(8), kLinkPrefix));  // checksum covers it
}

TEST_CASE("secret_token_with_any_one_character_changed_or_missing_is_refused") {
  for (std::size_t i = 0; i < kToken.size(); ++i) {
    INFO(i);
    auto changed = kToken;
    changed[i] = changed[i] == 'x' ? 'y' : 'x';
    CHECK_FALSE(token_digest(changed));
    auto shorter = kToken;
    shorter.erase(i, 1);
    CHECK_FALSE(token_digest(shorter));
    CHECK_FALSE(token_digest(kToken.substr(0, i)));
  }
  CHECK_FALSE(token_digest(kToken + "x"));
  CHECK_FALSE(token_digest(" " + kToken));
  CHECK_FALSE(token_digest(kToken + "\n"));
  CHECK_FALSE(token_digest(std::string(100'000, 'x')));
  CHECK_FALSE(token_digest(kToken.substr(8)));  // no prefix at all
}

TEST_CASE("secret_token_prefix_has_a_form") {
  for (const std::string prefix : {"", "_", "pst", "Pst_", "pst-", "1a_", "p st_", "p\xc3\xa4_"}) {
    INFO(prefix);
    CHECK_THROWS_AS(make_secret_token(prefix), std::invalid_argument);
  }
  const auto longest = std::string(23, 'a') + "_";
  CHECK(token_digest(make_secret_token(longest), longest));
  CHECK_THROWS_AS(make_secret_token("a" + longest), std::invalid_argument);
  CHECK(token_digest(make_secret_token("a_"), "a_"));
}

TEST_CASE("email_codes_are_six_digits_spread_over_all") {
  std::array<int, 10> first{};
  std::set<std::string> seen;
  constexpr int kDraws = 10'000;
  for (int i = 0; i < kDraws; ++i) {
    const auto code = make_email_code();
    REQUIRE(code.size() == 6);
    REQUIRE(code.find_first_not_of("0123456789") == std::string::npos);
    ++first[static_cast<std::size_t>(code[0] - '0')];
    seen.insert(code);
  }
  // Mean 1000, standard deviation 30: ten of them away is no chance.
  for (const int count : first) CHECK((count > 700 && count < 1300));
  CHECK(seen.size() > 9'800);  // about 50 repeats are expected
}

TEST_CASE("email_code_mac_is_hmac_sha256_over_code_and_flow") {
  // Python: hmac.new(b"\x0b" * 32, b"postern email code 1:" + b"012345" + b"flow-1", sha256)
  const auto mac = email_code_mac(kKey, "flow-1", "012345");
  REQUIRE(mac);
  CHECK(hex_encode(*mac) == "9564e78a23c4cce374ded17315c1c5ed06533b8f51b3abce61d59d2887adb620");
}

TEST_CASE("email_code_counts_for_its_flow_and_key_only") {
  const auto stored = *email_code_mac(kKey, "flow-1", "012345");
  CHECK(email_code_matches(kKey, "flow-1", "012345", stored));
  CHECK(email_code_matches(kKey, "flow-1", " 012 345 ", stored));
  CHECK_FALSE(email_code_matches(kKey, "flow-2", "012345", stored));
  CHECK_FALSE(email_code_matches(kKey, "", "012345", stored));
  CHECK_FALSE(email_code_matches(std::string(32, 'k'), "flow-1", "012345", stored));
  CHECK_FALSE(email_code_matches(kKey, "flow-1", "012346", stored));
  CHECK_FALSE(email_code_matches(kKey, "flow-1", "012345", ""));
  CHECK_FALSE(email_code_matches(kKey, "flow-1", "012345", stored.substr(1)));
  for (const std::string typed : {"", "12345", "0123456", "01234a", "012-345", "+12345", "012345\n",
                                  "                           012345"}) {
    INFO(typed);
    CHECK_FALSE(email_code_mac(kKey, "flow-1", typed));
    CHECK_FALSE(email_code_matches(kKey, "flow-1", typed, stored));
  }
}
