#include "smtp/queue/event_payload.hpp"

#include <catch2/catch.hpp>

#include "core/encoding.hpp"
#include "message/email_address.hpp"
#include "tests/smtp/queue/event_samples.hpp"

namespace postern::test {

namespace {

std::string payload(const q::DeliveryEvent& event) { return q::encode_events({&event, 1}); }

q::DeliveryEvent back(const q::DeliveryEvent& event) {
  auto parsed = q::parse_events(payload(event));
  REQUIRE(parsed);
  REQUIRE(parsed->size() == 1);
  return std::move(parsed->front());
}

bool is_corrupt(std::string_view bytes) {
  const auto parsed = q::parse_events(bytes);
  return !parsed && parsed.error().code == Errc::corrupt;
}

}  // namespace

TEST_CASE("event_payload_gives_back_every_field") {
  const auto event = sample_event(q::EventKind::bounced);
  check_same(back(event), event);
  auto plain = sample_event(q::EventKind::accepted);
  plain.next_attempt.reset();
  plain.reply = {};
  check_same(back(plain), plain);
}

TEST_CASE("event_payload_of_version_1_is_read_as_another_program_wrote_it") {
  // By a few lines of Python, from the format's description.
  const auto bytes = hex_decode(
      "0102100102030405060708090a0b0c0d0e0f10101112131415161718191a1b1c1d1e1f20102122232425"
      "262728292a2b2c2d2e2f300500028080f6aabcb49203000000000f6140616c7068612e6578616d706c65"
      "0000000000000100b960100102030405060708090a0b0c0d0e0f10101112131415161718191a1b1c1d1e"
      "1f20102122232425262728292a2b2c2d2e2f300100028080f6aabcb492030010624072656d6f74652e65"
      "78616d706c650e72656d6f74652e6578616d706c65000f6140616c7068612e6578616d706c65c3030402"
      "00077370c3a4746572116d782e72656d6f74652e6578616d706c650181c2cddabcb49203b960");
  REQUIRE(bytes);
  const auto events = q::parse_events(*bytes);
  REQUIRE(events);
  REQUIRE(events->size() == 2);
  const auto& accepted = (*events)[0];
  CHECK(accepted.kind == q::EventKind::accepted);
  CHECK(accepted.id.text() == "0102030405060708090a0b0c0d0e0f10");
  CHECK(accepted.tenant.text() == "1112131415161718191a1b1c1d1e1f20");
  CHECK(accepted.message.text() == "2122232425262728292a2b2c2d2e2f30");
  CHECK(accepted.at == Timestamp{std::chrono::sys_days{std::chrono::year{2026} / 1 / 31}});
  CHECK(accepted.lane == Lane::transactional);
  CHECK(accepted.return_path == "a@alpha.example");
  const auto& deferred = (*events)[1];
  CHECK(deferred.kind == q::EventKind::deferred);
  CHECK(deferred.address == "b@remote.example");
  CHECK(deferred.destination == "remote.example");
  CHECK(deferred.reply.one_line() == "451 4.2.0 sp\xc3\xa4ter");
  CHECK(deferred.remote_mta == "mx.remote.example");
  CHECK(deferred.attempts == 1);
  CHECK(deferred.next_attempt == accepted.at + std::chrono::seconds(100));
  CHECK(deferred.age == std::chrono::microseconds(12'345));
}

TEST_CASE("event_payload_keeps_many_events_in_order") {
  std::vector<q::DeliveryEvent> events;
  for (std::size_t i = 0; i < q::kMaxPayloadEvents; ++i) {
    events.push_back(sample_event(q::EventKind::deferred));
    events.back().recipient = static_cast<std::uint32_t>(i);
  }
  const auto parsed = q::parse_events(q::encode_events(events));
  REQUIRE(parsed);
  REQUIRE(parsed->size() == events.size());
  for (std::size_t i = 0; i < events.size(); ++i) check_same((*parsed)[i], events[i]);
  events.push_back(events.front());
  CHECK(is_corrupt(q::encode_events(events)));  // one more than fits
}

TEST_CASE("event_payload_cut_short_or_continued_is_corrupt") {
  const auto whole = payload(sample_event(q::EventKind::deferred));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    INFO(size);
    CHECK(is_corrupt(std::string_view(whole).substr(0, size)));
  }
  CHECK(is_corrupt(whole + '\0'));
  CHECK(is_corrupt(whole + whole));
}

TEST_CASE("event_payload_of_another_version_or_without_events_is_corrupt") {
  auto other = payload(sample_event(q::EventKind::deferred));
  other[0] = 2;
  CHECK(is_corrupt(other));
  CHECK(is_corrupt(std::string("\x01\x00", 2)));
  CHECK(is_corrupt("{\"version\": 1}"));
}

TEST_CASE("event_payload_with_a_value_out_of_range_is_corrupt") {
  const auto corrupt_with = [](auto change) {
    auto event = sample_event(q::EventKind::deferred);
    change(event);
    return is_corrupt(payload(event));
  };
  CHECK(corrupt_with([](auto& e) {
    e.kind = static_cast<q::EventKind>(static_cast<int>(q::kLastEventKind) + 1);
  }));
  CHECK(corrupt_with([](auto& e) { e.bounce = static_cast<q::BounceClass>(8); }));
  CHECK(corrupt_with([](auto& e) { e.lane = static_cast<Lane>(4); }));
  CHECK(corrupt_with([](auto& e) { e.reply.code = 199; }));
  CHECK(corrupt_with([](auto& e) { e.id = {}; }));
  CHECK(corrupt_with([](auto& e) { e.tenant = {}; }));
  CHECK(corrupt_with([](auto& e) { e.message = {}; }));
}

TEST_CASE("event_payload_with_text_that_no_writer_makes_is_corrupt") {
  const auto whole = payload(sample_event(q::EventKind::deferred));
  const auto at = whole.find("bob@");
  REQUIRE(at != std::string::npos);
  auto bad = whole;
  bad[at] = '\xff';
  CHECK(is_corrupt(bad));
}

TEST_CASE("event_text_is_cut_at_its_limit_between_characters") {
  auto event = sample_event(q::EventKind::deferred);
  event.reply.text = std::string(q::kMaxEventText, 'x');
  CHECK(back(event).reply.text == event.reply.text);
  event.reply.text = std::string(q::kMaxEventText - 1, 'x') + "\xc3\xa9";
  CHECK(back(event).reply.text == std::string(q::kMaxEventText - 1, 'x'));
  event.address = std::string(100'000, 'a');
  CHECK(back(event).address.size() == q::kMaxEventText);
}

TEST_CASE("reply_in_another_charset_becomes_utf_8") {
  auto event = sample_event(q::EventKind::deferred);
  event.reply.text = "bo\xeete pleine";
  const auto text = back(event).reply.text;
  CHECK(message::is_utf8(text));
  CHECK_THAT(text, Catch::StartsWith("bo") && Catch::EndsWith("te pleine"));
}

TEST_CASE("times_that_no_calendar_has_are_brought_into_range") {
  auto event = sample_event(q::EventKind::deferred);
  event.at = Timestamp::min();
  event.next_attempt = Timestamp::max();
  event.age = std::chrono::seconds(-5);
  const auto read = back(event);
  CHECK(read.at == Timestamp{});
  CHECK(*read.next_attempt < Timestamp{std::chrono::sys_days{std::chrono::year{10'000} / 1 / 1}});
  CHECK(read.age == Micros{0});
}

}  // namespace postern::test
