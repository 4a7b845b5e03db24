#include "accounts/factors/totp.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

using namespace postern;
using namespace postern::accounts;

namespace {

// RFC 6238, Appendix B: the secret for SHA-1, and the codes of eight digits.
constexpr std::string_view kSecret = "12345678901234567890";
const std::vector<std::pair<std::int64_t, std::string>> kAppendixB{
    {59, "94287082"},         {1111111109, "07081804"}, {1111111111, "14050471"},
    {1234567890, "89005924"}, {2000000000, "69279037"}, {20000000000, "65353130"},
};

Timestamp at(std::int64_t seconds) { return Timestamp{std::chrono::seconds(seconds)}; }

}  // namespace

TEST_CASE("totp_code_is_that_of_rfc_6238_appendix_b") {
  for (const auto& [seconds, code] : kAppendixB) {
    INFO(seconds);
    const auto step = totp_step(at(seconds));
    CHECK(step == seconds / 30);
    CHECK(totp_code(kSecret, step, TotpDigits::eight) == code);
    // RFC 4226 §5.3: fewer digits are the last ones. (`oathtool --totp` says the same.)
    CHECK(totp_code(kSecret, step) == code.substr(2));
    CHECK(match_totp(kSecret, code.substr(2), at(seconds), std::nullopt) == step);
  }
}

TEST_CASE("totp_code_counts_one_step_to_either_side") {
  constexpr std::int64_t kNow = 1111111109;  // 29 seconds into its step
  const auto step = totp_step(at(kNow));
  for (int offset = -3; offset <= 3; ++offset) {
    INFO(offset);
    const auto matched = match_totp(kSecret, totp_code(kSecret, step + offset), at(kNow), {});
    if (offset >= -1 && offset <= 1) {
      CHECK(matched == step + offset);
    } else {
      CHECK_FALSE(matched);
    }
  }
  // The window moves with the step, at its very beginning.
  CHECK(match_totp(kSecret, totp_code(kSecret, step - 1), at(step * 30), {}));
  CHECK_FALSE(match_totp(kSecret, totp_code(kSecret, step - 1), at((step + 1) * 30), {}));
  CHECK(match_totp(kSecret, totp_code(kSecret, step + 1), at(step * 30), {}));
  CHECK_FALSE(match_totp(kSecret, totp_code(kSecret, step + 1), at(step * 30 - 1), {}));
}

TEST_CASE("totp_code_is_good_once_and_older_ones_not_after_it") {
  const auto now = at(1234567890);
  const auto step = totp_step(now);
  const auto code = totp_code(kSecret, step);
  CHECK(match_totp(kSecret, code, now, step - 1) == step);
  CHECK_FALSE(match_totp(kSecret, code, now, step));
  CHECK_FALSE(match_totp(kSecret, code, now, step + 1));
  CHECK_FALSE(match_totp(kSecret, totp_code(kSecret, step - 1), now, step));
  CHECK(match_totp(kSecret, totp_code(kSecret, step + 1), now, step) == step + 1);
}

TEST_CASE("totp_at_the_beginning_of_time_works") {
  CHECK(match_totp(kSecret, totp_code(kSecret, 0), at(0), {}) == 0);
  CHECK(match_totp(kSecret, totp_code(kSecret, 0), at(30), {}) == 0);
}

TEST_CASE("totp_code_has_six_digits_and_spaces_are_forgiven") {
  const auto now = at(59);  // 287082
  for (const std::string code : {"287082", " 287082", "287 082", "28 70 82 ", "2 8 7 0 8 2"}) {
    INFO(code);
    CHECK(match_totp(kSecret, code, now, {}) == 1);
  }
  for (const std::string code :
       {"", " ", "28708", "2870820", "94287082", "28708a", "-87082", "+287082", "287082\n",
        "287-082", "0x2870", "２８７０８２", "287083", "287\t082"}) {
    INFO(code);
    CHECK_FALSE(match_totp(kSecret, code, now, {}));
  }
  CHECK(match_totp(kSecret, std::string(26, ' ') + "287082", now, {}));
  CHECK_FALSE(match_totp(kSecret, std::string(27, ' ') + "287082", now, {}));
  CHECK_FALSE(match_totp(kSecret, std::string("287082\0", 7), now, {}));
}

TEST_CASE("totp_secret_of_another_gives_no_match") {
  CHECK_FALSE(match_totp("12345678901234567891", "287082", at(59), {}));
}

TEST_CASE("totp_secrets_are_fresh_and_shown_in_base32") {
  const auto secret = make_totp_secret();
  CHECK(secret.size() == 20);
  CHECK(secret != make_totp_secret());
  // RFC 4648 §6, by `base32` of GNU coreutils.
  CHECK(totp_secret_text(kSecret) == "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
  CHECK(totp_secret_text("foob") == "MZXW6YQ");  // RFC 4648 §10, without padding
}

TEST_CASE("totp_uri_encodes_what_it_is_given") {
  CHECK(totp_uri(kSecret, "Postern", "alice@example.com") ==
        "otpauth://totp/Postern:alice%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
        "&issuer=Postern&algorithm=SHA1&digits=6&period=30");
  CHECK(totp_uri(kSecret, "A&B: C", "b\xc3\xbc?x=1#/%") ==
        "otpauth://totp/A%26B%20%20C:b%C3%BC%3Fx%3D1%23%2F%25"
        "?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
        "&issuer=A%26B%20%20C&algorithm=SHA1&digits=6&period=30");
}

TEST_CASE("totp_secret_reads_back_from_its_text", "[factors]") {
  const auto secret = make_totp_secret();
  const auto text = totp_secret_text(secret);
  CHECK(parse_totp_secret(text) == secret);
  CHECK(parse_totp_secret(text.substr(0, 16) + " " + text.substr(16)) == secret);
  // RFC 4648 §10: ten octets are too few here, and the last is no base32.
  for (const auto* bad : {"", "MZXW6YTBOI", "MZXW6YTBMZXW6YTB", "1", "0189",
                          "MZXW6YTBMZXW6YTBMZXW6YTBMZXW6YTBMZXW6YTBMZXW6YTB"}) {
    INFO(bad);
    CHECK_FALSE(parse_totp_secret(bad).has_value());
  }
}
