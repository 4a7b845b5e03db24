// JSON and CSV.
#include "accounts/audit/export.hpp"

#include <boost/json.hpp>
#include <catch2/catch.hpp>

using namespace postern;
using namespace postern::accounts::audit;

namespace {

Entry sample() {
  Entry entry;
  entry.number = 7;
  entry.mac = std::string(32, '\xab');
  auto& record = entry.record;
  record.id.value = *parse_uuid("000102030405060708090a0b0c0d0e0f");
  record.at = from_micros(1'767'225'600'000'042);
  record.action = "domain.create";
  record.outcome = Outcome::denied;
  record.actor_kind = ActorKind::api_key;
  record.actor_id = "k-1";
  record.actor = "=cmd()";
  record.door = Door::http;
  record.address = "2001:db8::1";
  record.target = "domain:example.org";
  record.details = R"({"a":"x, y"})";
  record.request_id = "req-1";
  return entry;
}

}  // namespace

TEST_CASE("json_has_every_field", "[audit]") {
  const auto expected = boost::json::parse(R"json({
    "number": 7, "id": "000102030405060708090a0b0c0d0e0f", "at": "2026-01-01T00:00:00.000042Z",
    "action": "domain.create", "outcome": "denied", "actor_kind": "api_key", "actor_id": "k-1",
    "actor": "=cmd()", "original_actor": "", "door": "http", "address": "2001:db8::1",
    "target": "domain:example.org", "details": {"a": "x, y"}, "request_id": "req-1",
    "mac": "abababababababababababababababababababababababababababababababab"})json");
  CHECK(boost::json::value(to_json(sample())) == expected);
}

TEST_CASE("json_shows_details_that_somebody_broke", "[audit]") {
  auto entry = sample();
  entry.record.details = "{broken";
  CHECK(to_json(entry).at("details").as_string() == "{broken");
}

TEST_CASE("csv_line_has_the_headers_columns", "[audit]") {
  CHECK(csv_header() ==
        "number,id,at,action,outcome,actor_kind,actor_id,actor,original_actor,door,address,target,"
        "details,request_id,mac\r\n");
  CHECK(to_csv(sample()) ==
        "7,000102030405060708090a0b0c0d0e0f,2026-01-01T00:00:00.000042Z,domain.create,denied,"
        "api_key,k-1,'=cmd(),,http,2001:db8::1,domain:example.org,\"{\"\"a\"\":\"\"x, y\"\"}\","
        "req-1,abababababababababababababababababababababababababababababababab\r\n");
}

TEST_CASE("csv_cell_table", "[audit]") {
  const std::pair<const char*, const char*> cases[] = {
      // RFC 4180 §2, rules 5 to 7.
      {"plain", "plain"},
      {"", ""},
      {"a,b", "\"a,b\""},
      {"a\"b", "\"a\"\"b\""},
      {"a\r\nb", "\"a\r\nb\""},
      {"a\nb", "\"a\nb\""},
      // Formulas.
      {"=1+1", "'=1+1"},
      {"+1", "'+1"},
      {"-1", "'-1"},
      {"@SUM(A1)", "'@SUM(A1)"},
      {"\t=1", "'\t=1"},
      {"=a,b", "\"'=a,b\""},
      {"a=b", "a=b"},
      {" =1", " =1"},
  };
  for (const auto& [text, cell] : cases) {
    INFO(text);
    CHECK(csv_cell(text) == cell);
  }
}

TEST_CASE("numbers_of_no_known_kind_are_named_unknown", "[audit]") {
  CHECK(to_string(static_cast<Outcome>(9)) == "unknown");
  CHECK(to_string(static_cast<ActorKind>(9)) == "unknown");
  CHECK(to_string(static_cast<Door>(9)) == "unknown");
}
