#include "accounts/factors/recovery_codes.hpp"

#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "core/ascii.hpp"
#include "core/encoding.hpp"

using namespace postern;
using namespace postern::accounts;

TEST_CASE("recovery_codes_are_ten_different_ones_of_eighty_bits") {
  const auto made = make_recovery_codes();
  CHECK(made.salt.size() == kRecoverySaltSize);
  REQUIRE(made.codes.size() == 10);
  REQUIRE(made.digests.size() == 10);
  std::set<std::string> different;
  for (std::size_t i = 0; i < made.codes.size(); ++i) {
    const auto& code = made.codes[i];
    INFO(code);
    // Four groups of four characters of five bits.
    REQUIRE(code.size() == 19);
    CHECK((code[4] == '-' && code[9] == '-' && code[14] == '-'));
    CHECK(code.find_first_of("0o1lOL") == std::string::npos);
    CHECK(find_recovery_code(code, made.salt, made.digests) == i);
    different.insert(code);
  }
  CHECK(different.size() == 10);
  CHECK(make_recovery_codes().salt != made.salt);
}

TEST_CASE("recovery_code_spelling_is_forgiven") {
  for (const std::string typed :
       {"abcdefghijkmnpqr", "abcd-efgh-ijkm-npqr", "ABCD-EFGH-IJKM-NPQR", " abcd efgh ijkm npqr ",
        "AbCdEfGhIjKmNpQr\r\n", "a-b-c-d-e-f-g-h-i-j-k-m-n-p-q-r", "abcd--efgh - ijkmnpqr"}) {
    INFO(typed);
    CHECK(canonical_recovery_code(typed) == "abcdefghijkmnpqr");
  }
  for (const std::string typed :
       {"", "-", "abcdefghijkmnpq", "abcdefghijkmnpqrs", "abcdefghijklnpqr", "0bcdefghijkmnpqr",
        "abcd_efgh_ijkm_npqr", "abcd.efgh.ijkm.npqr", "abcd\tefghijkmnpqr",
        "abcdefghijkmnpq\xc3"}) {
    INFO(typed);
    CHECK_FALSE(canonical_recovery_code(typed));
  }
  CHECK(canonical_recovery_code(std::string(48, ' ') + "abcdefghijkmnpqr"));
  CHECK_FALSE(canonical_recovery_code(std::string(49, ' ') + "abcdefghijkmnpqr"));
}

TEST_CASE("recovery_code_digest_is_salted_sha256") {
  const auto salt = *hex_decode("000102030405060708090a0b0c0d0e0f");
  // Python: hashlib.sha256(b"postern recovery code 1:" + salt + b"abcdefghijkmnpqr")
  CHECK(hex_encode(recovery_code_digest(salt, "abcdefghijkmnpqr")) ==
        "1530e563d200905989b5c4b354f60bcbee54852c5bf6c0d689407e99aa6c551c");
}

TEST_CASE("recovery_code_of_another_person_or_used_one_is_not_found") {
  auto alice = make_recovery_codes();
  const auto bob = make_recovery_codes();
  CHECK_FALSE(find_recovery_code(bob.codes[0], alice.salt, alice.digests));
  CHECK_FALSE(find_recovery_code(alice.codes[0], bob.salt, alice.digests));
  CHECK_FALSE(find_recovery_code("", alice.salt, alice.digests));
  CHECK_FALSE(find_recovery_code(alice.codes[0], alice.salt, {}));
  // A changed character.
  auto changed = alice.codes[3];
  changed[0] = changed[0] == 'a' ? 'b' : 'a';
  CHECK_FALSE(find_recovery_code(changed, alice.salt, alice.digests));

  const auto used = find_recovery_code(ascii::to_upper(alice.codes[3]), alice.salt, alice.digests);
  REQUIRE(used == 3);
  alice.digests.erase(alice.digests.begin() + 3);
  CHECK_FALSE(find_recovery_code(alice.codes[3], alice.salt, alice.digests));
  CHECK(find_recovery_code(alice.codes[4], alice.salt, alice.digests) == 3);
}

TEST_CASE("stored_digest_of_another_length_matches_nothing") {
  const auto made = make_recovery_codes();
  const std::vector<std::string> damaged{"", made.digests[0].substr(0, 31), made.digests[0] + "x"};
  CHECK_FALSE(find_recovery_code(made.codes[0], made.salt, damaged));
}
