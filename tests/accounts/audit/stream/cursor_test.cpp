// A stream's row: where it begins, what is next, what is skipped, and who may move it.
#include "accounts/audit/stream/stream.hpp"
#include "tests/accounts/audit/world.hpp"

using namespace postern;
using namespace postern::accounts::audit;
using namespace postern::accounts::audit::test;
using namespace std::chrono_literals;

namespace {

struct Streamed : World {
  TrailStream set(std::optional<std::uint64_t> after = std::nullopt) {
    NewStream fresh;
    fresh.origin = "https://logs.example.net";
    fresh.sealed = "sealed";
    fresh.after = after;
    fresh.now = clock.now();
    return must(
        scoped(mine, [fresh](sql::TenantScope& scope) { return set_stream(scope, fresh); }));
  }
  TrailStream now() {
    return must(scoped(mine, [](sql::TenantScope& scope) { return find_stream(scope); }));
  }
  Batch next(std::uint64_t bound = 100'000) {
    return must(scoped(mine, [bound](sql::TenantScope& scope) -> Result<Batch> {
      const auto stream = find_stream(scope);
      if (!stream) return std::unexpected(stream.error());
      return next_batch(scope, *stream, bound);
    }));
  }
  Result<void> move(const TrailStream& was, std::uint64_t last) {
    return scoped(mine, [was, last, at = clock.now()](sql::TenantScope& scope) {
      return move_cursor(scope, was, last, last - was.cursor, at);
    });
  }
  Result<void> skip(const TrailStream& was, const Skip& what) {
    return scoped(mine, [this, was, what](sql::TenantScope& scope) {
      return skip_records(scope, chain, was, what, clock.now());
    });
  }
  Result<void> failed(const TrailStream& was, const std::string& error) {
    return scoped(mine, [was, error, at = clock.now()](sql::TenantScope& scope) {
      return note_failure(scope, was, error, at, at + Micros(5s));
    });
  }
  std::uint64_t backlog() {
    return must(scoped(mine, [](sql::TenantScope& scope) -> Result<std::uint64_t> {
      return backlog_of(scope, *find_stream(scope));
    }));
  }
  std::vector<TenantId> streamed() {
    return must(change(
        [](sql::Transaction& tx) -> Result<std::vector<TenantId>> { return streamed_chains(tx); }));
  }
};

std::vector<std::uint64_t> numbers(const Batch& batch) {
  std::vector<std::uint64_t> out;
  out.reserve(batch.entries.size());
  for (const auto& entry : batch.entries) out.push_back(entry.number);
  return out;
}

using Numbers = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("new_stream_begins_with_the_next_record", "[audit][stream]") {
  Streamed world;
  world.append(world.mine, 3);
  CHECK(world.set().cursor == 3);
  CHECK(world.next().entries.empty());
  CHECK(world.backlog() == 0);
  world.append(world.mine, 2);
  CHECK(world.backlog() == 2);
  CHECK(numbers(world.next()) == Numbers{4, 5});
  CHECK(world.streamed() == std::vector{world.mine});
}

TEST_CASE("new_stream_begins_where_it_is_told_to", "[audit][stream]") {
  Streamed world;
  CHECK(world.set(0).cursor == 0);  // no record yet
  world.append(world.mine, 3);
  CHECK(numbers(world.next()) == Numbers{1, 2, 3});
  CHECK(world.set(2).cursor == 2);
  CHECK(numbers(world.next()) == Numbers{3});
  CHECK(world.set(3).cursor == 3);
  CHECK(world.set(4).cursor == 3);  // there is no fourth to have been taken
}

TEST_CASE("new_stream_begins_with_the_oldest_record_that_is_kept", "[audit][stream]") {
  Streamed world;
  world.append(world.mine, 4);
  world.clock.advance(std::chrono::days(20));
  const auto cut = must(world.scoped(world.mine, [&world](sql::TenantScope& scope) {
    return world.chain.cut_before(scope, world.clock.now(), world.clock.now(), 3);
  }));
  REQUIRE(cut.last == 3);
  for (const std::uint64_t after : {0U, 2U, 3U}) {
    CAPTURE(after);
    CHECK(world.set(after).cursor == 3);
    CHECK_FALSE(world.next().skip);
    CHECK(numbers(world.next()) == Numbers{4, 5});  // the cut's record
  }
  CHECK(world.set(4).cursor == 4);
  CHECK(world.now().skipped == 0);
}

TEST_CASE("chain_that_is_wound_back_takes_its_stream_with_it", "[audit][stream]") {
  Streamed world;
  world.append(world.mine, 5);
  const auto first = world.set(0);
  const auto where = " WHERE tenant_id = " + World::sql(world.mine);
  const auto wind_back = [&world, &where] {
    world.clock.advance(1s);
    world.raw("DELETE FROM audit_records" + where + " AND number > 3");
    world.raw("UPDATE audit_heads SET next_number = 4" + where);
    must(world.change([&world](sql::Transaction& tx) {
      return world.chain.resume(tx, world.mine, world.record(""));
    }));
  };
  SECTION("that was further") {
    must(world.move(first, 5));
    wind_back();
    CHECK(world.now().cursor == 3);
  }
  SECTION("that had come so far") {
    must(world.move(first, 3));
    wind_back();
    CHECK(world.now().cursor == 3);
  }
  SECTION("that was sending") {
    must(world.move(first, 3));
    const auto sending = world.now();
    wind_back();
    CHECK(world.move(sending, 4).error().code == Errc::not_found);  // another fourth record
    CHECK(world.skip(sending, {Skip::Reason::backlog, 4, 4}).error().code == Errc::not_found);
    CHECK(world.now().cursor == 3);
    CHECK(world.now().skipped == 0);
    CHECK(world.now().delivered == 3);
  }
  CHECK(numbers(world.next()) == Numbers{4});
  CHECK(world.all(world.mine).back().record.action == "audit.resumed");
  world.append(world.mine);
  CHECK(numbers(world.next()) == Numbers{4, 5});
}

TEST_CASE("chain_that_is_resumed_where_it_was_leaves_its_stream_alone", "[audit][stream]") {
  Streamed world;
  world.append(world.mine, 5);
  must(world.move(world.set(0), 2));
  world.raw("DELETE FROM audit_seal");
  must(world.change([&world](sql::Transaction& tx) {
    return world.chain.resume(tx, world.mine, world.record(""));
  }));
  CHECK(world.now().cursor == 2);
  CHECK(numbers(world.next()) == Numbers{3, 4, 5, 6});
}

TEST_CASE("changed_stream_goes_on_where_it_was", "[audit][stream]") {
  Streamed world;
  world.append(world.mine, 5);
  const auto first = world.set(0);
  must(world.move(first, 3));
  must(world.failed(world.now(), "no answer"));
  const auto second = world.set();
  CHECK(second.cursor == 3);
  CHECK(second.delivered == 3);
  CHECK(second.revision != first.revision);
  CHECK(second.failures == 0);
  CHECK(second.last_error.empty());
  CHECK_FALSE(second.retry_at);
  CHECK(world.streamed().size() == 1);
}

TEST_CASE("cursor_moves_for_the_revision_and_place_it_was_read_at_alone", "[audit][stream]") {
  Streamed world;
  world.append(world.mine, 5);
  const auto old = world.set(0);
  const auto current = world.set();
  CHECK(world.move(old, 2).error().code == Errc::not_found);
  CHECK(world.failed(old, "x").error().code == Errc::not_found);
  CHECK(world.skip(old, {Skip::Reason::backlog, 1, 2}).error().code == Errc::not_found);
  CHECK(world.now().cursor == 0);
  CHECK(world.now().failures == 0);
  must(world.move(current, 2));
  CHECK(world.now().cursor == 2);
  CHECK(world.move(current, 3).error().code == Errc::not_found);  // twice from the same place
  CHECK(world.now().cursor == 2);
  CHECK(world.now().delivered == 2);
  CHECK(world.all(world.mine).size() == 5);  // no record of a skip that wasn't
}

TEST_CASE("stream_set_anew_after_its_removal_is_another_one", "[audit][stream]") {
  Streamed world;
  world.append(world.mine, 2);
  const auto old = world.set(0);
  must(world.scoped(world.mine, [](sql::TenantScope& scope) { return remove_stream(scope); }));
  CHECK(world.streamed().empty());
  CHECK(world.scoped(world.mine, [](sql::TenantScope& scope) { return remove_stream(scope); })
            .error()
            .code == Errc::not_found);
  world.set(0);
  CHECK(world.move(old, 2).error().code == Errc::not_found);
}

TEST_CASE("batch_holds_200_records_at_most", "[audit][stream]") {
  Streamed world;
  world.set(0);
  for (const auto& [count, expected] : {std::pair{199, 199}, {1, 200}, {1, 200}}) {
    world.append(world.mine, count);
    CHECK(world.next().entries.size() == static_cast<std::size_t>(expected));
  }
  CHECK(kMaxBatch == 200);
}

TEST_CASE("batch_is_halved_by_each_failure_in_a_row", "[audit][stream]") {
  Streamed world;
  world.set(0);
  world.append(world.mine, 201);
  for (const std::size_t expected : {200U, 100U, 50U, 25U, 12U, 6U, 3U, 1U, 1U}) {
    CHECK(world.next().entries.size() == expected);
    must(world.failed(world.now(), "too large"));
  }
  auto row = world.now();
  for (const auto& [failures, expected] :
       {std::pair<std::int64_t, std::size_t>{31, 1}, {64, 1}, {1'000'000, 1}, {-1, 200}}) {
    row.failures = failures;
    const auto batch = must(world.scoped(world.mine, [row](sql::TenantScope& scope) {
      return Result<Batch>(next_batch(scope, row, 1'000));
    }));
    CHECK(batch.entries.size() == expected);
  }
  must(world.move(world.now(), 1));
  CHECK(world.next().entries.size() == 200);
}

TEST_CASE("batch_ends_with_the_record_that_fills_it", "[audit][stream]") {
  Streamed world;
  world.set(0);
  auto large = world.record("thing.done");
  large.details = R"({"a":")" + std::string(8'000, 'x') + "\"}";
  for (int i = 0; i < 100; ++i) must(world.try_append(world.mine, large));
  // Texts of 8,059 octets each: the 66th is the one that reaches 524,288.
  const auto batch = world.next();
  CHECK(batch.entries.size() == 66);
  CHECK(kBatchBytes == 524'288);
  must(world.failed(world.now(), "too large"));
  CHECK(world.next().entries.size() == 33);  // the 33rd reaches 262,144
  for (int i = 0; i < 40; ++i) must(world.failed(world.now(), "too large"));
  CHECK(world.next().entries.size() == 1);
}

TEST_CASE("backlog_at_the_bound_is_sent_and_beyond_it_skipped_to_nine_tenths", "[audit][stream]") {
  Streamed world;
  world.set(0);
  world.append(world.mine, 20);
  CHECK_FALSE(world.next(20).skip);
  CHECK(world.next(20).entries.size() == 20);
  world.append(world.mine, 1);
  const auto batch = world.next(20);
  CHECK(batch.entries.empty());
  REQUIRE(batch.skip);
  CHECK(batch.skip->reason == Skip::Reason::backlog);
  CHECK(batch.skip->first == 1);
  CHECK(batch.skip->last == 3);  // 18 of 21 are left
  must(world.skip(world.now(), *batch.skip));
  const auto after = world.now();
  CHECK(after.cursor == 3);
  CHECK(after.skipped == 3);
  CHECK(after.delivered == 0);
  // The skip's own record is the newest, and says it all.
  const auto told = world.all(world.mine).back();
  CHECK(told.number == 22);
  CHECK(told.record.action == "audit.stream_skip");
  CHECK(told.record.outcome == Outcome::failure);
  CHECK(told.record.actor_kind == ActorKind::system);
  CHECK(told.record.details == R"({"count":3,"first":1,"last":3,"reason":"backlog"})");
  CHECK_FALSE(world.next(20).skip);  // and doesn't make another one
  CHECK(world.next(20).entries.size() == 19);
  CHECK(world.verify().sound());
}

TEST_CASE("records_that_retention_removed_are_skipped_and_told", "[audit][stream]") {
  Streamed world;
  world.set(0);
  world.append(world.mine, 4);
  must(world.move(world.now(), 1));
  world.clock.advance(std::chrono::days(20));
  const auto cut = must(world.scoped(world.mine, [&world](sql::TenantScope& scope) {
    return world.chain.cut_before(scope, world.clock.now() - std::chrono::days(10),
                                  world.clock.now(), 3);
  }));
  REQUIRE(cut.last == 3);
  const auto batch = world.next();
  REQUIRE(batch.skip);
  CHECK(batch.skip->reason == Skip::Reason::retention);
  CHECK(batch.skip->first == 2);
  CHECK(batch.skip->last == 3);
  must(world.skip(world.now(), *batch.skip));
  CHECK(world.now().skipped == 2);
  CHECK(numbers(world.next()) == Numbers{4, 5, 6});  // the cut's record and the skip's
}

TEST_CASE("retention_behind_the_cursor_skips_nothing", "[audit][stream]") {
  Streamed world;
  world.set(0);
  world.append(world.mine, 3);
  must(world.move(world.now(), 3));
  world.clock.advance(std::chrono::days(20));
  must(world.scoped(world.mine, [&world](sql::TenantScope& scope) {
    return world.chain.cut_before(scope, world.clock.now(), world.clock.now(), 100);
  }));
  CHECK_FALSE(world.next().skip);
  CHECK(numbers(world.next()) == Numbers{4});
}

TEST_CASE("failure_is_kept_until_the_next_success", "[audit][stream]") {
  Streamed world;
  world.set(0);
  world.append(world.mine, 2);
  const auto began = world.clock.now();
  must(world.failed(world.now(), "the receiver answered 500"));
  world.clock.advance(7s);
  must(world.failed(world.now(), std::string(500, 'e')));
  auto row = world.now();
  CHECK(row.failures == 2);
  CHECK(row.failing_since == began);
  CHECK(row.retry_at == world.clock.now() + Micros(5s));
  CHECK(row.last_error == std::string(200, 'e'));
  must(world.move(row, 2));
  row = world.now();
  CHECK(row.failures == 0);
  CHECK_FALSE(row.failing_since);
  CHECK_FALSE(row.retry_at);
  CHECK(row.last_error.empty());
  CHECK(row.delivered_at == world.clock.now());
}

TEST_CASE("platform_and_tenants_have_streams_of_their_own", "[audit][stream]") {
  Streamed world;
  world.set(0);
  world.append(world.mine, 1);
  world.append(world.theirs, 3);
  CHECK(numbers(world.next()) == Numbers{1});
  CHECK(world.scoped(world.theirs, [](sql::TenantScope& scope) { return find_stream(scope); })
            .error()
            .code == Errc::not_found);
  NewStream platform;
  platform.origin = "https://siem.example.net";
  platform.after = 0;
  must(world.scoped(kPlatform,
                    [platform](sql::TenantScope& scope) { return set_stream(scope, platform); }));
  CHECK(world.streamed() == std::vector{kPlatform, world.mine});
}

TEST_CASE("closed_chain_has_no_stream", "[audit][stream]") {
  Streamed world;
  world.append(world.mine, 2);
  world.set(0);
  must(world.change([&world](sql::Transaction& tx) -> Result<void> {
    const auto closed = world.chain.close(tx, world.mine, world.record("tenant.delete"), nullptr);
    if (!closed) return std::unexpected(closed.error());
    CHECK(closed->count == 2);
    return {};
  }));
  CHECK(world.streamed().empty());
  CHECK(world.verify().sound());
}
