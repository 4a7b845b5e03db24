#include "core/crypto.hpp"

#include <catch2/catch.hpp>
#include <numeric>

#include "core/encoding.hpp"

namespace {
using namespace postern;
using namespace postern::crypto;

std::string hex(std::string_view text) { return hex_decode(text).value(); }

std::string range(int first, int past) {
  std::string out(static_cast<std::size_t>(past - first), '\0');
  std::iota(out.begin(), out.end(), static_cast<char>(first));
  return out;
}

// The AES-256 cases of the GCM specification (McGrew and Viega), numbers 13, 14 and 16.
struct GcmCase {
  std::string key, nonce, associated, plain, sealed;
};

std::vector<GcmCase> gcm_cases() {
  const std::string zero_key(64, '0');
  const std::string zero_nonce(24, '0');
  const std::string key = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";
  return {
      {zero_key, zero_nonce, "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
      {zero_key, zero_nonce, "", std::string(32, '0'),
       "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"},
      {key, "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
       "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a"
       "6b525b16aed"
       "f5aa0de657ba637b39",
       "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b10568"
       "28838c5f61e"
       "6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b"},
  };
}
}  // namespace

TEST_CASE("sha256_matches_fips_180_examples") {
  CHECK(hex_encode(sha256("abc")) ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(hex_encode(sha256("")) ==
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST_CASE("sha256_in_pieces_is_sha256_of_the_whole") {
  const std::string text = range(0, 200);
  Sha256 pieces;
  for (const char c : text) pieces.update(std::string_view(&c, 1));
  pieces.update("");
  CHECK(pieces.finish() == sha256(text));
}

TEST_CASE("hmac_matches_rfc_4231") {
  CHECK(hex_encode(hmac_sha256(std::string(20, '\x0b'), "Hi There")) ==
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  CHECK(hex_encode(hmac_sha256("Jefe", "what do ya want for nothing?")) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(hex_encode(hmac_sha256(std::string(131, '\xaa'),
                               "Test Using Larger Than Block-Size Key - Hash Key First")) ==
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  CHECK(hex_encode(hmac_sha256("", "")) ==
        "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST_CASE("hkdf_matches_rfc_5869") {
  CHECK(hex_encode(hkdf_sha256(std::string(22, '\x0b'), range(0, 13), range(0xf0, 0xfa), 42)) ==
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  CHECK(hex_encode(hkdf_sha256(range(0, 0x50), range(0x60, 0xb0), range(0xb0, 0x100), 82)) ==
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e"
        "590e09"
        "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87");
  CHECK(hex_encode(hkdf_sha256(std::string(22, '\x0b'), "", "", 42)) ==
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST_CASE("hkdf_length_is_bounded") {
  CHECK(hkdf_sha256("k", "", "", 0).empty());
  CHECK(hkdf_sha256("k", "", "", 8160).size() == 8160);
  CHECK_THROWS_AS(hkdf_sha256("k", "", "", 8161), std::length_error);
}

TEST_CASE("aes_gcm_matches_the_specification") {
  for (const auto& c : gcm_cases()) {
    CAPTURE(c.sealed);
    CHECK(hex_encode(seal(hex(c.key), hex(c.nonce), hex(c.associated), hex(c.plain))) == c.sealed);
    const auto opened = open(hex(c.key), hex(c.nonce), hex(c.associated), hex(c.sealed));
    REQUIRE(opened);
    CHECK(hex_encode(*opened) == c.plain);
  }
}

TEST_CASE("aes_gcm_refuses_any_change") {
  const std::string key(kKeySize, 'k');
  const std::string nonce(kNonceSize, 'n');
  const std::string sealed = seal(key, nonce, "about", "some text");
  CHECK(open(key, nonce, "about", sealed) == "some text");
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    CHECK_FALSE(open(key, nonce, "about", changed));
  }
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    CHECK_FALSE(open(key, nonce, "about", sealed.substr(0, size)));
  }
  CHECK_FALSE(open(key, nonce, "abouT", sealed));
  CHECK_FALSE(open(key, std::string(kNonceSize, 'm'), "about", sealed));
  CHECK_FALSE(open(std::string(kKeySize, 'j'), nonce, "about", sealed));
  CHECK_FALSE(open("short", nonce, "about", sealed));
  CHECK_FALSE(open(key, "short", "about", sealed));
  CHECK_THROWS_AS(seal("short", nonce, "", ""), std::invalid_argument);
  CHECK_THROWS_AS(seal(key, "short", "", ""), std::invalid_argument);
}

TEST_CASE("constant_time_equal_compares_all_bytes") {
  CHECK(constant_time_equal("", ""));
  CHECK(constant_time_equal("abc", "abc"));
  CHECK_FALSE(constant_time_equal("abc", "abd"));
  CHECK_FALSE(constant_time_equal("abc", "ab"));
}

TEST_CASE("wipe_leaves_an_empty_string") {
  std::string secret = "the secret";
  const char* where = secret.data();
  wipe(secret);
  CHECK(secret.empty());
  CHECK(where[1] == '\0');
}
