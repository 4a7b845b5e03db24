// The rules of drift, look by look.
#include "accounts/watched_record.hpp"

#include <catch2/catch.hpp>

using namespace postern;
using namespace postern::accounts;
using namespace std::chrono_literals;
using enum RecordStatus;

namespace {

const Timestamp kStart{std::chrono::sys_days{std::chrono::year{2026} / 3 / 1}};

struct Watched {
  WatchTiming timing{6h, 10min};
  WatchedRecord record{RecordPurpose::spf, "a.example", {}, {}, {}, {}, {}, {}, {}, {}, {}};
  ToldTimes told;
  Timestamp now = kStart;

  Turn look(RecordStatus status, std::chrono::seconds ttl = 60s) {
    return observe(record, {RecordPurpose::spf, "a.example", status, "v=spf1 -all", ttl}, now,
                   timing);
  }
  Turn look_after(Micros wait, RecordStatus status) {
    now += wait;
    return look(status);
  }
  void drift() {
    if (!record.first_ok) REQUIRE(look(ok) == Turn::none);
    REQUIRE(look_after(1h, different) == Turn::none);
    REQUIRE(look_after(10min, different) == Turn::drifted);
  }
  Telling telling() const { return to_tell({record}, told, now); }
  /// What note_told does with the rows.
  void tell() {
    const auto what = telling();
    REQUIRE_FALSE(what.empty());
    if (!what.drifted.empty()) record.told = told.drift = now;
    if (!what.ended.empty()) {
      record.told.reset();
      if (what.drifted.empty()) told.end = now;
    }
  }
  Micros next() const { return next_check({record}, told, now, timing) - now; }
};

WatchedRecord other_adrift() {
  Watched other;
  other.record.purpose = RecordPurpose::mx;
  other.drift();
  return other.record;
}

}  // namespace

TEST_CASE("record_that_was_never_published_does_not_drift", "[drift]") {
  Watched watched;
  for (const auto status : {missing, different, gone, missing}) {
    CHECK(watched.look_after(1h, status) == Turn::none);
    CHECK(watched.record.status == status);
  }
  CHECK_FALSE(watched.record.failing_since);
  CHECK_FALSE(watched.record.first_ok);
  CHECK(watched.telling().empty());
  CHECK(watched.next() == 6h);
}

TEST_CASE("two_bad_looks_ten_minutes_apart_are_drift", "[drift]") {
  for (const auto status : {missing, different, gone}) {
    Watched watched;
    CHECK(watched.look(ok) == Turn::none);
    CHECK(watched.look_after(6h, status) == Turn::none);
    const auto first = watched.now;
    CHECK_FALSE(watched.record.drifted);
    CHECK(watched.next() == 10min);
    CHECK(watched.look_after(10min - 1us, status) == Turn::none);
    CHECK(watched.look_after(1us, status) == Turn::drifted);
    CHECK(watched.record.drifted == watched.now);
    CHECK(watched.record.failing_since == first);
    CHECK(watched.look_after(6h, status) == Turn::none);  // told once
    CHECK(watched.record.first_ok == kStart);
    CHECK(watched.record.last_ok == kStart);
  }
}

TEST_CASE("good_look_between_two_bad_ones_begins_anew", "[drift]") {
  Watched watched;
  CHECK(watched.look(ok) == Turn::none);
  CHECK(watched.look_after(1h, missing) == Turn::none);
  CHECK(watched.look_after(20min, ok) == Turn::none);
  CHECK_FALSE(watched.record.failing_since);
  CHECK(watched.look_after(20min, missing) == Turn::none);
  CHECK(watched.look_after(10min, missing) == Turn::drifted);
}

TEST_CASE("answer_of_a_cache_is_not_a_second_look", "[drift]") {
  Watched watched;
  CHECK(watched.look(ok) == Turn::none);
  watched.now += 1h;
  CHECK(watched.look(different, 3600s) == Turn::none);
  CHECK(watched.next() == 1h);
  watched.now += 1h - 1us;
  CHECK(watched.look(different, 1s) == Turn::none);
  watched.now += 1us;
  CHECK(watched.look(different, 1s) == Turn::drifted);
}

TEST_CASE("answer_of_a_day_counts_as_seen_again_a_day_later", "[drift]") {
  for (const auto ttl : {std::chrono::seconds(24h), std::chrono::seconds(24h * 365)}) {
    Watched watched;
    CHECK(watched.look(ok) == Turn::none);
    CHECK(watched.look(different, ttl) == Turn::none);
    for (int i = 0; i < 3; ++i) {
      CHECK(watched.next() == 6h);  // the regular looks go on
      CHECK(watched.look_after(6h, different) == Turn::none);
    }
    CHECK(watched.look_after(6h - 1us, different) == Turn::none);
    CHECK(watched.next() == 1us);
    CHECK(watched.look_after(1us, different) == Turn::drifted);
  }
}

TEST_CASE("short_lived_mistake_with_a_long_ttl_is_no_drift", "[drift]") {
  Watched watched;
  CHECK(watched.look(ok) == Turn::none);
  CHECK(watched.look(different, std::chrono::hours(12)) == Turn::none);
  CHECK(watched.look_after(6h, different) == Turn::none);  // out of the cache
  CHECK(watched.look_after(6h, ok) == Turn::none);
  CHECK_FALSE(watched.record.failing_since);
}

TEST_CASE("failed_look_up_changes_nothing", "[drift]") {
  Watched watched;
  CHECK(watched.look(unknown) == Turn::none);
  CHECK_FALSE(watched.record.checked);
  CHECK(watched.look(ok) == Turn::none);
  CHECK(watched.look_after(1h, missing) == Turn::none);
  const auto before = watched.record.failing_since;
  CHECK(watched.look_after(10min, unknown) == Turn::none);
  CHECK(watched.record.failing_since == before);
  CHECK(watched.record.status == missing);
  CHECK(watched.next() == 10min);
  CHECK(watched.look_after(1min, missing) == Turn::drifted);
  CHECK(watched.look_after(1h, unknown) == Turn::none);
  CHECK(watched.record.drifted);
}

TEST_CASE("one_good_look_ends_drift", "[drift]") {
  Watched watched;
  watched.drift();
  CHECK(watched.look_after(1min, ok) == Turn::ended);
  CHECK_FALSE(watched.record.drifted);
  CHECK_FALSE(watched.record.failing_since);
  CHECK_FALSE(watched.record.confirm_after);
  CHECK(watched.record.last_ok == watched.now);
  CHECK(watched.look_after(1h, ok) == Turn::none);
}

TEST_CASE("drift_is_told_and_so_is_its_end", "[drift]") {
  Watched watched;
  watched.drift();
  CHECK(watched.telling().drifted.size() == 1);
  CHECK(watched.telling().ended.empty());
  CHECK(watched.next() == 10min);  // until the mail has left
  watched.tell();
  CHECK(watched.telling().empty());
  CHECK(watched.next() == 6h);
  CHECK(watched.look_after(1h, ok) == Turn::ended);
  CHECK(watched.telling().ended.size() == 1);
  CHECK(watched.telling().drifted.empty());
  watched.tell();
  CHECK(watched.telling().empty());
}

TEST_CASE("drift_that_ended_untold_is_never_told", "[drift]") {
  Watched watched;
  watched.drift();
  CHECK(watched.look_after(1min, ok) == Turn::ended);
  CHECK(watched.telling().empty());
}

TEST_CASE("flapping_is_one_mail_of_a_kind_a_day", "[drift]") {
  Watched watched;
  watched.drift();
  watched.tell();
  const auto first = watched.now;
  CHECK(watched.look_after(1h, ok) == Turn::ended);
  watched.tell();
  int mails = 0;
  while (watched.now < first + 24h - 2h) {
    watched.drift();
    mails += watched.telling().empty() ? 0 : 1;
    CHECK(watched.look_after(10min, ok) == Turn::ended);
    mails += watched.telling().empty() ? 0 : 1;
  }
  CHECK(mails == 0);
  watched.drift();
  watched.now = first + 24h - 1us;
  CHECK(watched.telling().empty());
  watched.now += 1us;
  CHECK(watched.telling().drifted.size() == 1);
}

TEST_CASE("end_waits_until_nothing_is_adrift", "[drift]") {
  Watched watched;
  watched.drift();
  watched.tell();
  auto other = other_adrift();
  other.told = watched.now;
  CHECK(watched.look_after(1h, ok) == Turn::ended);
  CHECK(to_tell({watched.record, other}, watched.told, watched.now).empty());
  other.drifted.reset();
  CHECK(to_tell({watched.record, other}, watched.told, watched.now).ended.size() == 2);
}

TEST_CASE("mail_of_new_drift_tells_of_ends_too", "[drift]") {
  Watched watched;
  watched.drift();
  watched.tell();
  CHECK(watched.look_after(25h, ok) == Turn::ended);
  const auto telling = to_tell({watched.record, other_adrift()}, watched.told, watched.now);
  CHECK(telling.drifted.size() == 1);
  CHECK(telling.ended.size() == 1);
}

TEST_CASE("second_drift_within_a_day_of_the_first_ones_mail_waits", "[drift]") {
  Watched watched;
  watched.drift();
  watched.tell();
  const auto other = other_adrift();
  watched.now += 23h;
  CHECK(to_tell({watched.record, other}, watched.told, watched.now).empty());
  watched.now += 1h;
  const auto telling = to_tell({watched.record, other}, watched.told, watched.now);
  REQUIRE(telling.drifted.size() == 1);
  CHECK(telling.drifted[0].purpose == RecordPurpose::mx);
}

TEST_CASE("found_text_is_printable_and_short", "[drift]") {
  CHECK(found_text({}).empty());
  CHECK(found_text({"10 mx.a.example", "20 mx.b.example"}) == "10 mx.a.example | 20 mx.b.example");
  CHECK(found_text({std::string("a\r\n\0\x1b\x7f\xc3\xbc", 8)}) == "a???????");
  CHECK(found_text({std::string(200, 'x')}) == std::string(200, 'x'));
  CHECK(found_text({std::string(201, 'x')}) == std::string(200, 'x') + "...(201 octets)");
  const std::vector<std::string> many(1'000, std::string(65'000, 'x'));
  CHECK(found_text(many).size() <= kMaxFound);
  CHECK(found_text(many).ends_with("...(1000 records)"));
}
