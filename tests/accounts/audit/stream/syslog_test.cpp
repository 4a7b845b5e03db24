// Records as syslog messages, against the texts of RFC 5424 and RFC 5425.
#include "accounts/audit/stream/syslog.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <catch2/catch.hpp>

using namespace postern;
using namespace postern::accounts::audit;

namespace {

constexpr std::string_view kMark = "\xef\xbb\xbf";

Entry sample() {
  Entry entry;
  entry.number = 7;
  entry.mac = std::string(32, '\xab');
  auto& record = entry.record;
  record.id.value = *parse_uuid("000102030405060708090a0b0c0d0e0f");
  record.at = from_micros(1'767'225'600'000'042);
  record.action = "domain.create";
  record.actor_kind = ActorKind::api_key;
  record.actor = R"(a "b" \ [c])";
  record.door = Door::http;
  record.address = "2001:db8::1";
  record.target =
      "domain:b\xc3\xbc"
      "cher.example";
  return entry;
}

}  // namespace

// RFC 5424 §6.3.3: the three characters, and a backslash before another one is one like any other.
TEST_CASE("parameter_value_escapes_three_characters_and_nothing_else", "[audit][stream]") {
  CHECK(escape_parameter("plain") == "plain");
  CHECK(escape_parameter("\"") == "\\\"");
  CHECK(escape_parameter("\\") == "\\\\");
  CHECK(escape_parameter("]") == "\\]");
  CHECK(escape_parameter("[=' \n") == "[=' \n");
  CHECK(escape_parameter(R"(\n)") == R"(\\n)");
  CHECK(escape_parameter(R"("]\)") == R"(\"\]\\)");
  CHECK(escape_parameter("b\xc3\xbc"
                         "cher") ==
        "b\xc3\xbc"
        "cher");
  CHECK(escape_parameter("").empty());
}

TEST_CASE("message_has_header_structured_data_and_marked_json", "[audit][stream]") {
  const auto text = syslog_message(sample(), "0a0b", "mx.example.org");
  const std::string expected =
      "<110>1 2026-01-01T00:00:00.000042Z mx.example.org postern - domain.create "
      R"([postern@32473 chain="0a0b" number="7" id="000102030405060708090a0b0c0d0e0f" )"
      R"(action="domain.create" outcome="success" actorKind="api_key" )"
      R"(actor="a \"b\" \\ [c\]" address="2001:db8::1" )"
      "target=\"domain:b\xc3\xbc"
      "cher.example\" "
      R"(mac="abababababababababababababababababababababababababababababababab"] )";
  REQUIRE(text.size() > expected.size());
  CHECK(text.substr(0, expected.size()) == expected);
  const auto message = text.substr(expected.size());
  REQUIRE(message.starts_with(kMark));  // RFC 5424 §6.4: MSG-UTF8
  const auto json = boost::json::parse(message.substr(kMark.size()));
  CHECK(json.at("number").as_int64() == 7);
  CHECK(json.at("actor").as_string() == R"(a "b" \ [c])");
  CHECK(boost::json::serialize(json) + "\n" == json_line(sample()));
}

TEST_CASE("severity_of_what_did_not_succeed_is_warning", "[audit][stream]") {
  auto entry = sample();
  // RFC 5424 §6.2.1: facility 13 times 8 and severity 6 or 4.
  CHECK(syslog_message(entry, "c", "h").starts_with("<110>1 "));
  entry.record.outcome = Outcome::denied;
  CHECK(syslog_message(entry, "c", "h").starts_with("<108>1 "));
  entry.record.outcome = Outcome::failure;
  CHECK(syslog_message(entry, "c", "h").starts_with("<108>1 "));
}

TEST_CASE("message_id_and_host_name_stay_within_their_sizes", "[audit][stream]") {
  auto entry = sample();
  entry.record.action = "a." + std::string(30, 'b');  // 32
  CHECK(syslog_message(entry, "c", "h").find(" - " + entry.record.action + " [") !=
        std::string::npos);
  entry.record.action += 'c';
  CHECK(syslog_message(entry, "c", "h").find(" - a." + std::string(30, 'b') + " [") !=
        std::string::npos);
  const auto longest = syslog_message(entry, "c", std::string(300, 'h'));
  CHECK(longest.find("Z " + std::string(255, 'h') + " postern") != std::string::npos);
  CHECK(syslog_message(entry, "c", "").find("Z - postern") != std::string::npos);
}

// RFC 5425 §4.3: MSG-LEN counts octets, not characters.
TEST_CASE("frames_count_octets", "[audit][stream]") {
  auto second = sample();
  second.number = 8;
  const auto frames = syslog_frames({sample(), second}, "c", "h");
  std::string_view rest = frames;
  for (const auto& entry : {sample(), second}) {
    const auto message = syslog_message(entry, "c", "h");
    const auto prefix = std::to_string(message.size()) + " ";
    REQUIRE(rest.starts_with(prefix));
    rest.remove_prefix(prefix.size());
    REQUIRE(rest.starts_with(message));
    rest.remove_prefix(message.size());
  }
  CHECK(rest.empty());
  CHECK(syslog_frames({}, "c", "h").empty());
}

TEST_CASE("json_lines_are_one_object_a_line", "[audit][stream]") {
  const auto lines = json_lines({sample(), sample()});
  CHECK(lines == json_line(sample()) + json_line(sample()));
  CHECK(std::ranges::count(lines, '\n') == 2);
  CHECK(lines.ends_with("}\n"));
}
