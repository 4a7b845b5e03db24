// A record's bounds and its one encoding.
#include "accounts/audit/record.hpp"

#include <boost/json.hpp>
#include <catch2/catch.hpp>
#include <set>

#include "accounts/audit/encoder.hpp"
#include "core/encoding.hpp"

using namespace postern;
using namespace postern::accounts::audit;

namespace {

constexpr std::int64_t kNewYear2026 = 1'767'225'600'000'000;

std::string counting(std::size_t size, int from = 0) {
  std::string bytes;
  for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(from + static_cast<int>(i));
  return bytes;
}

Record with_action(std::string action) {
  Record record;
  record.action = std::move(action);
  return record;
}

Record with_target(std::string target) {
  auto record = with_action("domain.create");
  record.target = std::move(target);
  return bounded(record).value();
}

std::string details_of(std::string details) {
  auto record = with_action("domain.create");
  record.details = std::move(details);
  return bounded(record)->details;
}

std::string mac_of(const Record& record) {
  KeyedMac key(counting(32));
  std::string buffer;
  return record_mac(key, buffer, counting(32), TenantId{}, view_of(record, 1));
}

}  // namespace

TEST_CASE("keyed_mac_gives_the_published_vectors", "[audit]") {
  // RFC 4231 §4.2, §4.3 and §4.7.
  KeyedMac first(std::string(20, '\x0b'));
  const auto* expected = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7";
  CHECK(hex_encode(first.compute("Hi There")) == expected);
  CHECK(hex_encode(first.compute("Hi There")) == expected);  // the context starts afresh
  CHECK(hex_encode(KeyedMac("Jefe").compute("what do ya want for nothing?")) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(hex_encode(KeyedMac(std::string(131, '\xaa'))
                       .compute("Test Using Larger Than Block-Size Key - Hash Key First")) ==
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST_CASE("record_mac_is_what_another_program_computes", "[audit]") {
  // Computed with Python's hmac and struct from the documented encoding.
  Record record;
  record.id.value = *uuid_from_bytes(counting(16, 16));
  record.at = from_micros(kNewYear2026);
  record.action = "domain.create";
  record.outcome = Outcome::denied;
  record.actor_kind = ActorKind::person;
  record.actor_id = "id-1";
  record.actor = "Ann";
  record.door = Door::http;
  record.address = "192.0.2.1";
  record.target = "domain:example.org";
  record.details = R"({"a":1})";
  record.request_id = "req-9";
  KeyedMac key(counting(32));
  std::string buffer;
  const TenantId chain{*uuid_from_bytes(counting(16))};
  CHECK(hex_encode(record_mac(key, buffer, std::string(32, '\0'), chain, view_of(record, 7))) ==
        "845d82ddc1a276e2c6f56ddf13f00cb02c87c3c25f2d995ed77c2606fb49c438");
}

TEST_CASE("record_mac_differs_when_bytes_move_between_neighbouring_fields", "[audit]") {
  std::string Record::* const texts[] = {
      &Record::action,  &Record::actor_id, &Record::actor,   &Record::original_actor,
      &Record::address, &Record::target,   &Record::details, &Record::request_id};
  std::set<std::string> macs;
  std::size_t count = 0;
  Record record;
  for (auto text : texts) record.*text = "abab";
  macs.insert(mac_of(record));
  ++count;
  // Every way to move one to four bytes over each border, and to move a whole field.
  for (std::size_t i = 0; i + 1 < std::size(texts); ++i) {
    for (std::size_t moved = 1; moved <= 4; ++moved) {
      auto right = record;
      right.*texts[i] = std::string("abab").substr(0, 4 - moved);
      right.*texts[i + 1] = std::string("abab").substr(4 - moved) + "abab";
      auto left = record;
      left.*texts[i] = "abab" + std::string("abab").substr(0, moved);
      left.*texts[i + 1] = std::string("abab").substr(moved);
      macs.insert(mac_of(right));
      macs.insert(mac_of(left));
      count += 2;
    }
  }
  CHECK(macs.size() == count);
}

TEST_CASE("record_mac_differs_for_another_number_chain_or_previous", "[audit]") {
  const auto record = with_action("domain.create");
  KeyedMac key(counting(32));
  std::string buffer;
  const auto view = view_of(record, 1);
  const auto base = record_mac(key, buffer, counting(32), TenantId{}, view);
  CHECK(record_mac(key, buffer, counting(32), TenantId{}, view) == base);
  CHECK(record_mac(key, buffer, counting(32), TenantId{}, view_of(record, 2)) != base);
  CHECK(record_mac(key, buffer, counting(32), TenantId::make(), view) != base);
  CHECK(record_mac(key, buffer, counting(32, 1), TenantId{}, view) != base);
}

TEST_CASE("action_table", "[audit]") {
  for (const auto* good : {"domain.create", "a.b", "api_key.revoke", "a.b.c.d", "x1.y2"}) {
    INFO(good);
    CHECK(valid_action(good));
    CHECK(bounded(with_action(good)));
  }
  for (const auto* bad : {"", "domain", ".create", "domain.", "domain..create", "Domain.create",
                          "domain create", "domain.cre-ate", "a.b.c.d.e", "domain.create\n"}) {
    INFO(bad);
    CHECK_FALSE(valid_action(bad));
    CHECK(bounded(with_action(bad)).error().code == Errc::invalid);
  }
  CHECK(valid_action("a." + std::string(kMaxAction - 2, 'x')));
  CHECK_FALSE(valid_action("a." + std::string(kMaxAction - 1, 'x')));
}

TEST_CASE("text_longer_than_the_limit_is_cut_visibly", "[audit]") {
  CHECK(with_target(std::string(kMaxText - 1, 'x')).target == std::string(kMaxText - 1, 'x'));
  CHECK(with_target(std::string(kMaxText, 'x')).target == std::string(kMaxText, 'x'));
  CHECK(with_target(std::string(kMaxText + 1, 'x')).target ==
        std::string(480, 'x') + "...(513 bytes)");
  CHECK(with_target(std::string(1'000'000, 'x')).target ==
        std::string(480, 'x') + "...(1000000 bytes)");
  // 300 letters of two bytes: cut between two of them.
  std::string umlauts;
  for (int i = 0; i < 300; ++i) umlauts += "\xc3\xa4";
  CHECK(with_target("x" + umlauts).target == "x" + umlauts.substr(0, 478) + "...(601 bytes)");
}

TEST_CASE("text_with_broken_or_control_characters_is_made_storable", "[audit]") {
  CHECK(with_target(std::string("a\0b\r\nc\x7f\x1b[2J", 11)).target == "a?b??c??[2J");
  CHECK(with_target("Gr\xc3\xbc\xc3\x9f").target == "Gr\xc3\xbc\xc3\x9f");
  const auto repaired = with_target("\xff\xfe").target;
  CHECK(boost::json::parse(boost::json::serialize(boost::json::value(repaired))).is_string());
}

TEST_CASE("details_are_canonical", "[audit]") {
  CHECK(details_of(R"( { "b" : [ 1, {"z":0,"y":null} ], "a" : "x" } )") ==
        R"({"a":"x","b":[1,{"y":null,"z":0}]})");
  CHECK(canonical({{"b", 1}, {"a", 2}}) == canonical({{"a", 2}, {"b", 1}}));
  CHECK(details_of("{}") == "{}");
}

TEST_CASE("details_that_are_no_object_are_kept_as_text", "[audit]") {
  for (const auto* bad : {"", "null", "[1]", "not json", "{\"a\":"}) {
    INFO(bad);
    const auto value = boost::json::parse(details_of(bad)).as_object();
    CHECK(value.at("truncated").as_string() == bad);
    CHECK(value.at("size").as_int64() == static_cast<std::int64_t>(std::string(bad).size()));
  }
}

TEST_CASE("details_longer_than_the_limit_are_cut_visibly", "[audit]") {
  const auto of_size = [](std::size_t size) {
    return R"({"a":")" + std::string(size - 8, 'x') + R"("})";
  };
  CHECK(details_of(of_size(kMaxDetails - 1)) == of_size(kMaxDetails - 1));
  CHECK(details_of(of_size(kMaxDetails)) == of_size(kMaxDetails));
  for (const auto size : {kMaxDetails + 1, 4 * kMaxDetails, 4 * kMaxDetails + 1}) {
    const auto text = details_of(of_size(size));
    CHECK(text.size() <= kMaxDetails);
    const auto value = boost::json::parse(text).as_object();
    CHECK(value.at("size").as_int64() == static_cast<std::int64_t>(size));
    CHECK(value.at("truncated").as_string().starts_with(R"({"a":"xxx)"));
  }
  // What escaping doubles still fits.
  const auto quotes = details_of(std::string(2 * kMaxDetails, '"'));
  CHECK(quotes.size() <= kMaxDetails);
  CHECK(boost::json::parse(quotes).as_object().at("size") == 2 * kMaxDetails);
}
