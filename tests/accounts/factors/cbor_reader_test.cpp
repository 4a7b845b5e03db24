#include "accounts/factors/cbor_reader.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "core/encoding.hpp"

using namespace postern;
using namespace postern::accounts::webauthn;

namespace {

std::string raw(std::string_view hex) { return *hex_decode(hex); }

bool skips(const std::string& bytes) {
  CborReader reader(bytes);
  const auto item = reader.skip();
  return item && *item == bytes && reader.done();
}

}  // namespace

TEST_CASE("cbor_integers_are_those_of_rfc_8949_appendix_a") {
  const std::vector<std::pair<std::string, std::int64_t>> table{
      {"00", 0},
      {"01", 1},
      {"0a", 10},
      {"17", 23},
      {"1818", 24},
      {"1819", 25},
      {"1864", 100},
      {"1903e8", 1000},
      {"1a000f4240", 1000000},
      {"1b000000e8d4a51000", 1000000000000},
      {"20", -1},
      {"29", -10},
      {"3863", -100},
      {"3903e7", -1000},
      {"1b7fffffffffffffff", INT64_MAX},
      {"3b7fffffffffffffff", INT64_MIN}};
  for (const auto& [hex, value] : table) {
    INFO(hex);
    const auto bytes = raw(hex);
    CborReader reader(bytes);
    CHECK(reader.integer() == value);
    CHECK(reader.done());
    CHECK(skips(bytes));
  }
  // Beyond 64 bits with a sign (Appendix A has both); they can be passed over all the same.
  for (const std::string hex : {"1bffffffffffffffff", "3bffffffffffffffff"}) {
    const auto bytes = raw(hex);
    CHECK_FALSE(CborReader(bytes).integer());
    CHECK(skips(bytes));
  }
}

TEST_CASE("cbor_heads_longer_than_needed_are_refused") {
  for (const std::string hex :
       {"1817", "190018", "1900ff", "1a0000ffff", "1b00000000ffffffff", "3800", "390000", "5800",
        "580161", "780161", "59000161", "9800", "b800", "1c", "1d", "1e", "1f"}) {
    INFO(hex);
    CHECK_FALSE(skips(raw(hex)));
  }
  for (const std::string hex : {"18ff", "190100", "19ffff", "1a00010000", "1b0000000100000000"}) {
    INFO(hex);
    CHECK(skips(raw(hex)));
  }
}

TEST_CASE("cbor_items_of_rfc_8949_appendix_a_are_passed_over_or_refused") {
  for (const std::string hex : {"f4", "f5", "f6", "40", "4401020304", "60", "6161", "6449455446",
                                "62225c", "63e6b0b4", "80", "83010203", "8301820203820405", "a0",
                                "a201020304", "a26161016162820203", "826161a161626163"}) {
    INFO(hex);
    CHECK(skips(raw(hex)));
  }
  // undefined, simple values, floats, tags, indefinite lengths, break
  for (const std::string hex :
       {"f7", "f0", "f8ff", "f90000", "fa47c35000", "fb3ff199999999999a", "c11a514b67b0",
        "d74401020304", "5f42010243030405ff", "7f657374726561646d696e67ff", "9fff",
        "9f018202039f0405ffff", "bf61610161629f0203ffff", "ff"}) {
    INFO(hex);
    CHECK_FALSE(skips(raw(hex)));
  }
}

TEST_CASE("cbor_cut_off_is_refused_at_every_length") {
  const auto bytes = raw("a26161830102431234566162a1190400f5");
  REQUIRE(skips(bytes));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    INFO(size);
    CHECK_FALSE(CborReader(std::string_view(bytes).substr(0, size)).skip());
  }
}

TEST_CASE("cbor_nests_four_deep_at_most") {
  CHECK(skips(raw("8181818101")));
  CHECK_FALSE(skips(raw("818181818101")));
  CHECK(skips(raw("a101a101a101a10101")));
  CHECK_FALSE(skips(raw("a101a101a101a101a10101")));
  CHECK_FALSE(skips(std::string(1'000'000, '\x81')));
}

TEST_CASE("cbor_sizes_beyond_the_input_are_refused") {
  for (const std::string hex :
       {"5bffffffffffffffff", "7bffffffffffffffff", "9bffffffffffffffff", "bbffffffffffffffff",
        "bb800000000000000000", "5a00010000", "9a0001000000"}) {
    const auto bytes = raw(hex);
    INFO(hex);
    CHECK_FALSE(CborReader(bytes).skip());
    CHECK_FALSE(CborReader(bytes).bytes());
    CHECK_FALSE(CborReader(bytes).text());
    CHECK_FALSE(CborReader(bytes).array_size());
    CHECK_FALSE(CborReader(bytes).map_size());
  }
}

TEST_CASE("cbor_reads_refuse_other_kinds") {
  const auto number = raw("01"), bytes = raw("4161"), text = raw("6161"), array = raw("8101"),
             map = raw("a10101");
  CHECK(CborReader(bytes).bytes() == "a");
  CHECK(CborReader(text).text() == "a");
  CHECK(CborReader(array).array_size() == 1);
  CHECK(CborReader(map).map_size() == 1);
  CHECK_FALSE(CborReader(number).bytes());
  CHECK_FALSE(CborReader(bytes).text());
  CHECK_FALSE(CborReader(text).bytes());
  CHECK_FALSE(CborReader(text).integer());
  CHECK_FALSE(CborReader(map).array_size());
  CHECK_FALSE(CborReader(array).map_size());
  CHECK_FALSE(CborReader("").integer());
}
