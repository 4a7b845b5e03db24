#include "core/encoding.hpp"

#include <catch2/catch.hpp>
#include <utility>
#include <vector>

#include "core/ascii.hpp"

namespace {
using namespace postern;

// RFC 4648 §10
const std::vector<std::pair<std::string, std::string>> kBase64{
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
};
}  // namespace

TEST_CASE("base64_matches_rfc_4648") {
  for (const auto& [plain, text] : kBase64) {
    CHECK(base64_encode(plain) == text);
    CHECK(base64_decode(text) == plain);
    CHECK(base64_decode_loose(text) == plain);
  }
  CHECK(base64_encode("\xfb\xff") == "+/8=");
}

TEST_CASE("base64_decode_refuses_what_is_not_canonical") {
  for (const char* text : {"Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Z", "Zg==\n",
                           " Zg==", "Zm9v=", "====", "Z===", "Zg==Zg==", "Z-_v", "=Zg="}) {
    CAPTURE(text);
    CHECK_FALSE(base64_decode(text));
  }
}

TEST_CASE("base64_decode_loose_forgives_space_and_padding") {
  CHECK(base64_decode_loose("Zm9v\r\n\tYmFy ") == "foobar");
  CHECK(base64_decode_loose("Zm 8") == "fo");
  CHECK_FALSE(base64_decode_loose("Zm9*"));
}

TEST_CASE("base64url_has_its_own_alphabet_and_no_padding") {
  CHECK(base64url_encode("\xfb\xff") == "-_8");
  CHECK(base64url_decode("-_8") == "\xfb\xff");
  CHECK_FALSE(base64url_decode("+/8"));
  CHECK_FALSE(base64url_decode("-_8="));
}

TEST_CASE("hex_matches_rfc_4648") {
  CHECK(hex_encode("foobar") == "666f6f626172");
  CHECK(hex_decode("666F6f") == "foo");
  CHECK_FALSE(hex_decode("666"));
  CHECK_FALSE(hex_decode("6g"));
}

TEST_CASE("base32_uses_no_look_alikes") {
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  const auto text = base32_encode(all);
  CHECK(text.size() == (256 * 8 + 4) / 5);
  CHECK(text.find_first_of("0o1lABC=") == std::string::npos);
}

TEST_CASE("ascii_compares_without_case_and_locale") {
  CHECK(ascii::iequals("MAIL from", "mail FROM"));
  CHECK_FALSE(ascii::iequals("\xc4", "\xe4"));
  CHECK_FALSE(ascii::iequals("a", "ab"));
  CHECK(ascii::istarts_with("Starttls", "STAR"));
  CHECK_FALSE(ascii::istarts_with("ST", "STAR"));
  CHECK(ascii::trim(" \t a b\r\n") == "a b");
  CHECK(ascii::trim(" \r\n").empty());
  CHECK(ascii::to_lower("AzZ[@") == "azz[@");
  CHECK(ascii::to_upper("aZz{`") == "AZZ{`");
}
