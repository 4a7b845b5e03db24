#include "web/api/audit/heads_json.hpp"

#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>

using namespace postern;
using web::api::parse_heads;

namespace {

// 2026-01-31T12:00:00.5Z is 1769860800.5 s after the epoch (date -u -d ... +%s).
constexpr std::string_view kAt = "2026-01-31T12:00:00.500000Z";
constexpr std::int64_t kMicros = 1'769'860'800'500'000;
const std::string kTenant = "0197a000000070008000000000000001";
const std::string kMac(64, 'a');

std::string answer(const std::string& heads) {
  return R"({"at":")" + std::string(kAt) + R"(","heads":[)" + heads + "]}";
}
std::string head(const std::string& chain, const std::string& number, const std::string& mac) {
  return R"({"chain":")" + chain + R"(","number":)" + number + R"(,"mac":")" + mac + R"("})";
}

}  // namespace

TEST_CASE("heads_are_read_as_the_server_writes_them", "[audit]") {
  const auto text = answer(head("platform", "1", kMac) + "," +
                           head(kTenant, "9223372036854775807", std::string(64, '0')));
  const auto heads = parse_heads(text);
  REQUIRE(heads);
  CHECK(to_micros(heads->at) == kMicros);
  REQUIRE(heads->ends.size() == 2);
  CHECK(heads->ends[0].chain == TenantId{});
  CHECK(heads->ends[0].number == 1);
  CHECK(heads->ends[0].mac == std::string(32, '\xaa'));
  CHECK(heads->ends[1].chain.text() == kTenant);
  CHECK(heads->ends[1].number == 9'223'372'036'854'775'807U);
  CHECK(boost::json::serialize(web::api::to_json(*heads)) == text);
}

TEST_CASE("heads_of_a_server_without_records_are_none", "[audit]") {
  const auto heads = parse_heads(answer(""));
  REQUIRE(heads);
  CHECK(heads->ends.empty());
}

TEST_CASE("answers_that_are_not_heads_are_refused", "[audit]") {
  const auto good = head(kTenant, "3", kMac);
  for (const auto& text : std::vector<std::string>{
           "",
           "nonsense",
           "[]",
           "null",
           "{}",
           R"({"heads":[]})",
           R"({"at":")" + std::string(kAt) + R"("})",
           R"({"at":5,"heads":[]})",
           R"({"at":"yesterday","heads":[]})",
           R"({"at":")" + std::string(kAt) + R"(","heads":{}})",
           R"({"at":")" + std::string(kAt) + R"(","heads":[],"more":1})",
           answer("") + "x",
           answer("5"),
           answer("[]"),
           answer(good + "," + good),  // a chain twice
           answer(head(kTenant, "0", kMac)),
           answer(head(kTenant, "-1", kMac)),
           answer(head(kTenant, "1.0", kMac)),
           answer(head(kTenant, "\"1\"", kMac)),
           answer(head(kTenant, "9223372036854775808", kMac)),
           answer(head(kTenant, "1", kMac.substr(2))),
           answer(head(kTenant, "1", kMac + "aa")),
           answer(head(kTenant, "1", std::string(64, 'A'))),
           answer(head(kTenant, "1", std::string(64, 'g'))),
           answer(head("", "1", kMac)),
           answer(head("Platform", "1", kMac)),
           answer(head("0197A000000070008000000000000001", "1", kMac)),
           answer(head("0197a000-0000-7000-8000-000000000001", "1", kMac)),
           answer(head(std::string(32, '0'), "1", kMac)),  // the platform's, misspelt
           answer(R"({"chain":")" + kTenant + R"(","number":1})"),
           answer(R"({"chain":")" + kTenant + R"(","number":1,"mac":")" + kMac + R"(","x":1})")}) {
    INFO(text);
    const auto heads = parse_heads(text);
    REQUIRE_FALSE(heads);
    CHECK(heads.error().code == Errc::corrupt);
  }
  const std::string deep = answer(std::string(1'000, '[') + std::string(1'000, ']'));
  CHECK_FALSE(parse_heads(deep));
}

TEST_CASE("answer_of_the_largest_size_is_read_and_one_octet_more_is_not", "[audit]") {
  auto text = answer("");
  text.insert(text.size(), accounts::audit::kMaxStatement - text.size(), ' ');
  CHECK(parse_heads(text));
  text += ' ';
  const auto heads = parse_heads(text);
  REQUIRE_FALSE(heads);
  CHECK(heads.error().code == Errc::too_large);
}
