#include <dirent.h>

#include <filesystem>

#include "core/crypto.hpp"
#include "core/random.hpp"
#include "storage/body/body_source.hpp"
#include "storage/body/body_spool.hpp"
#include "storage/body/body_store.hpp"
#include "storage/body/staged_file.hpp"
#include "tests/storage/support.hpp"
#include "tests/support/run_task.hpp"

namespace postern::storage::test {

namespace {

namespace fs = std::filesystem;

struct Fixture {
  TempDirectory directory;
  std::unique_ptr<Database> database = open_database(directory / "x.db");
  std::shared_ptr<const DataKey> key =
      std::make_shared<const DataKey>(TenantId::make(), random_bytes(32));

  Result<void> put(const SealedBody& body) { return put_for(key->tenant, body); }
  Result<void> put_for(TenantId tenant, const SealedBody& body) {
    return database->write_blocking<void>(Purpose::intake,
                                          [&](sql::Transaction& tx) -> Result<void> {
                                            sql::TenantScope scope(tx, tenant);
                                            put_body(scope, body);
                                            return {};
                                          });
  }
  Result<SealedRange> fetch(TenantId tenant, ObjectId object, std::uint64_t offset,
                            std::uint64_t length) {
    return database->read_blocking<SealedRange>([&](sql::Transaction& tx) {
      sql::TenantScope scope(tx, tenant);
      return read_body(scope, object, offset, length);
    });
  }
  Result<std::string> get(ObjectId object, std::uint64_t offset = 0,
                          std::uint64_t length = UINT64_MAX) {
    auto range = fetch(key->tenant, object, offset, length);
    if (!range) return std::unexpected(range.error());
    return open_range(*key, object, *range, offset, length);
  }
};

std::string text_of(std::size_t size) {
  std::string text;
  for (int line = 0; text.size() < size; ++line) text += fmt::format("line {} of a mail\r\n", line);
  text.resize(size);
  return text;
}

const std::size_t kSizes[] = {0,
                              1,
                              100,
                              10'240,
                              kPieceSize - 1,
                              kPieceSize,
                              kPieceSize + 1,
                              2 * kPieceSize,
                              3 * kPieceSize + 17};

int open_descriptors() {
  return static_cast<int>(
      std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator{}));
}

}  // namespace

TEST_CASE("body_of_each_size_comes_back_whole") {
  Fixture f;
  const auto packing = GENERATE(Packing::zstd, Packing::none);
  for (const auto size : kSizes) {
    for (const auto& plain : {text_of(size), blob_of(size, 1)}) {
      INFO(size);
      const auto object = ObjectId::make();
      const auto body = seal_body(*f.key, object, plain, packing);
      CHECK(body.size == size);
      CHECK(body.piece_count() == std::max<std::size_t>(1, (size + kPieceSize - 1) / kPieceSize));
      must(f.put(body));
      CHECK(must(f.get(object)) == plain);
    }
  }
}

TEST_CASE("body_is_compressed_and_hides_its_text") {
  Fixture f;
  const auto plain = text_of(50'000);
  const auto body = seal_body(*f.key, ObjectId::make(), plain);
  CHECK(body.pieces[0].size() < plain.size() / 3);
  CHECK_THAT(body.pieces[0], !Catch::Contains("mail"));
  const auto noise = blob_of(50'000, 2);
  CHECK(seal_body(*f.key, ObjectId::make(), noise).pieces[0].size() ==
        noise.size() + 1 + crypto::kTagSize);
  const auto unpacked = seal_body(*f.key, ObjectId::make(), plain, Packing::none);
  CHECK(unpacked.pieces[0].size() == plain.size() + 1 + crypto::kTagSize);
  CHECK_THAT(unpacked.pieces[0], !Catch::Contains("mail"));
}

TEST_CASE("range_read_gives_what_was_asked_and_opens_only_its_pieces") {
  Fixture f;
  const auto plain = blob_of(5 * kPieceSize + 1000, 3);
  const auto object = ObjectId::make();
  must(f.put(seal_body(*f.key, object, plain)));
  const std::uint64_t offsets[] = {0,
                                   1,
                                   kPieceSize - 1,
                                   kPieceSize,
                                   kPieceSize + 1,
                                   3 * kPieceSize,
                                   5 * kPieceSize,
                                   5 * kPieceSize + 999};
  const std::uint64_t lengths[] = {
      0, 1, 2, 1000, kPieceSize, kPieceSize + 1, 3 * kPieceSize, UINT64_MAX};
  for (const auto offset : offsets) {
    for (const auto length : lengths) {
      INFO(offset << " " << length);
      const auto range = must(f.fetch(f.key->tenant, object, offset, length));
      CHECK(must(open_range(*f.key, object, range, offset, length)) ==
            plain.substr(offset, length));
      const auto wanted = std::min<std::uint64_t>(length, plain.size() - offset);
      CHECK(range.pieces.size() <= wanted / kPieceSize + 2);
    }
  }
  CHECK(must(f.get(object, plain.size(), 10)).empty());
  CHECK(must(f.get(object, plain.size() + kPieceSize, 10)).empty());
  CHECK(must(f.get(object, UINT64_MAX, UINT64_MAX)).empty());
}

TEST_CASE("unknown_body_is_not_found_and_another_tenant_sees_none") {
  Fixture f;
  const auto object = ObjectId::make();
  must(f.put(seal_body(*f.key, object, "text")));
  CHECK(f.get(ObjectId::make()).error().code == Errc::not_found);
  CHECK(f.fetch(TenantId::make(), object, 0, 10).error().code == Errc::not_found);
}

TEST_CASE("erased_body_is_gone_and_erasing_again_is_nothing") {
  Fixture f;
  const auto object = ObjectId::make();
  const auto other = ObjectId::make();
  must(f.put(seal_body(*f.key, object, text_of(3 * kPieceSize))));
  must(f.put(seal_body(*f.key, other, text_of(3 * kPieceSize))));
  for (int i = 0; i < 2; ++i) {
    must(f.database->write_blocking<void>(Purpose::outcome,
                                          [&](sql::Transaction& tx) -> Result<void> {
                                            sql::TenantScope scope(tx, f.key->tenant);
                                            erase_body(scope, object);
                                            return {};
                                          }));
  }
  CHECK(f.get(object).error().code == Errc::not_found);
  CHECK(must(f.get(other)) == text_of(3 * kPieceSize));
}

TEST_CASE("changed_pieces_are_corrupt") {
  Fixture f;
  const auto object = ObjectId::make();
  const auto plain = blob_of(3 * kPieceSize, 4);
  must(f.put(seal_body(*f.key, object, plain)));
  const auto good = must(f.fetch(f.key->tenant, object, 0, UINT64_MAX));
  const auto open = [&](const SealedRange& range) {
    return open_range(*f.key, object, range, 0, UINT64_MAX);
  };
  REQUIRE(open(good));
  const auto check_corrupt = [&](SealedRange range) {
    const auto opened = open(range);
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == Errc::corrupt);
  };
  auto flipped = good;
  flipped.pieces[1][100] = static_cast<char>(flipped.pieces[1][100] ^ 1);
  check_corrupt(flipped);
  auto swapped = good;
  std::swap(swapped.pieces[0], swapped.pieces[1]);
  check_corrupt(swapped);
  auto dropped = good;  // the last piece cut off, the sizes made to match
  dropped.pieces.pop_back();
  dropped.layout.size = 2 * kPieceSize;
  check_corrupt(dropped);
  auto missing = good;
  missing.pieces.pop_back();
  check_corrupt(missing);
  auto no_head = good;
  no_head.layout.head_size = UINT64_MAX;
  check_corrupt(no_head);
  auto shifted = good;
  shifted.layout.head_size -= 1;
  check_corrupt(shifted);
  auto empty_piece = good;
  empty_piece.pieces[0].clear();
  check_corrupt(empty_piece);
  auto resized = good;
  resized.layout.size -= 1;
  check_corrupt(resized);
}

TEST_CASE("body_opens_only_with_its_own_key_tenant_and_id") {
  Fixture f;
  const auto object = ObjectId::make();
  must(f.put(seal_body(*f.key, object, "secret")));
  const auto range = must(f.fetch(f.key->tenant, object, 0, 100));
  CHECK(must(open_range(*f.key, object, range, 0, 100)) == "secret");
  CHECK(open_range(*f.key, ObjectId::make(), range, 0, 100).error().code == Errc::corrupt);
  const auto raw = random_bytes(32);
  const auto tenant = TenantId::make();
  const auto body = seal_body({tenant, raw}, object, "secret");
  const SealedRange sealed{body.layout(), 0, body.pieces};
  CHECK(must(open_range({tenant, raw}, object, sealed, 0, 100)) == "secret");
  CHECK(open_range({TenantId::make(), raw}, object, sealed, 0, 100).error().code == Errc::corrupt);
  CHECK(open_range({tenant, random_bytes(32)}, object, sealed, 0, 100).error().code ==
        Errc::corrupt);
}

TEST_CASE("body_writer_seals_the_same_as_seal_body") {
  Fixture f;
  must(sweep_staging(f.directory / "staging"));
  for (const auto size :
       {std::size_t{0}, std::size_t{1}, kPieceSize, 2 * kPieceSize, kStageThreshold - 1,
        kStageThreshold, kStageThreshold + 1, std::size_t{1'000'000}}) {
    for (const std::size_t step : {std::size_t{1'021}, std::size_t{200'000}}) {
      INFO(size << " " << step);
      const auto plain = text_of(size);
      const auto object = ObjectId::make();
      BodyWriter writer(f.key, object, f.directory / "staging");
      for (std::size_t at = 0; at < size; at += step)
        must(writer.append(std::string_view(plain).substr(at, step)));
      CHECK(writer.size() == size);
      const auto body = must(writer.finish());
      CHECK((body.staged != nullptr) == (size > kStageThreshold));
      CHECK(body.pieces.empty() == (body.staged != nullptr));
      const auto whole = seal_body(*f.key, object, plain);
      CHECK(body.size == whole.size);
      CHECK(body.piece_count() == whole.piece_count());
      must(f.put(body));
      CHECK(must(f.get(object)) == plain);
    }
  }
}

TEST_CASE("body_whose_head_comes_last_reads_as_one") {
  Fixture f;
  must(sweep_staging(f.directory / "staging"));
  for (const std::size_t tail_size : {std::size_t{0}, std::size_t{1}, kPieceSize, kPieceSize + 1,
                                      kStageThreshold + 1, std::size_t{700'000}}) {
    for (const std::size_t head_size : {std::size_t{0}, std::size_t{300}, 3 * kPieceSize + 5}) {
      INFO(tail_size << " " << head_size);
      const auto tail = blob_of(tail_size, 8);
      const auto head = text_of(head_size);
      const auto object = ObjectId::make();
      BodyWriter writer(f.key, object, f.directory / "staging", BodyWriter::Head::later);
      must(writer.append(tail));
      const auto headless = must(writer.finish());
      CHECK(headless.size == tail_size);
      const auto source = sealed_source(f.key, std::make_shared<const SealedBody>(headless));
      CHECK(must(postern::test::run_task(read_all(source))) == tail);

      const auto body = writer.set_head(head);
      CHECK(body.size == head_size + tail_size);
      CHECK(body.head_size == head_size);
      must(f.put(body));
      const std::string whole = head + tail;
      CHECK(must(f.get(object)) == whole);
      for (const std::size_t offset :
           {std::size_t{0}, head_size / 2, head_size, head_size + 1, head_size + kPieceSize}) {
        if (offset > whole.size()) continue;
        CHECK(must(f.get(object, offset, 1'000)) == whole.substr(offset, 1'000));
      }
      // What was read before the head came stays readable.
      CHECK(must(postern::test::run_task(read_all(source))) == tail);
      // A second head would be sealed under the same key and nonce.
      CHECK_THROWS_AS(writer.set_head("another"), std::logic_error);
    }
  }
}

TEST_CASE("body_writer_with_its_head_inside_takes_no_other") {
  Fixture f;
  BodyWriter writer(f.key, ObjectId::make(), f.directory / "staging");
  must(writer.append("text"));
  must(writer.finish());
  CHECK_THROWS_AS(writer.set_head("head"), std::logic_error);
}

TEST_CASE("body_source_reads_ranges_of_every_kind_alike") {
  Fixture f;
  must(sweep_staging(f.directory / "staging"));
  const auto plain = blob_of(500'000, 9);
  BodyWriter writer(f.key, ObjectId::make(), f.directory / "staging");
  must(writer.append(plain));
  const auto staged = std::make_shared<const SealedBody>(must(writer.finish()));
  REQUIRE(staged->staged != nullptr);
  const auto in_memory =
      std::make_shared<const SealedBody>(seal_body(*f.key, ObjectId::make(), plain));
  const auto padded = plain_source("pad" + plain);
  for (const auto& source : {plain_source(plain), sealed_source(f.key, staged),
                             sealed_source(f.key, in_memory), source_from(padded, 3)}) {
    REQUIRE(source->size() == plain.size());
    for (const std::uint64_t offset :
         {0U, 65'535U, 65'536U, 262'144U, 499'999U, 500'000U, 600'000U}) {
      for (const std::uint64_t length : {0U, 1U, 65'536U, 1'000'000U}) {
        INFO(offset << " " << length);
        const auto want = offset < plain.size() ? plain.substr(offset, length) : std::string();
        CHECK(must(postern::test::run_task(source->read(offset, length))) == want);
      }
    }
    CHECK(must(postern::test::run_task(read_all(source))) == plain);
  }
  CHECK(source_from(padded, 1'000'000)->size() == 0);
  CHECK(source_from(padded, 3)->in_memory() == plain);
  CHECK(source_from(padded, 1'000'000)->in_memory() == "");
  CHECK_FALSE(sealed_source(f.key, in_memory)->in_memory());
}

TEST_CASE("spooled_body_is_what_was_appended_whatever_its_size") {
  Fixture f;
  must(sweep_staging(f.directory / "staging"));
  asio::io_context context{1};
  WorkerPool workers("body", 1, 100);
  const Staging staging(workers, f.directory / "staging");
  for (const std::size_t size : {std::size_t{0}, std::size_t{100}, kStageThreshold - 1,
                                 kStageThreshold, kStageThreshold + 1, std::size_t{1'500'000}}) {
    INFO(size);
    const auto plain = blob_of(size, 10);
    auto spool = staging.spool(f.key);
    for (std::size_t at = 0; at < size; at += 50'000)
      must(postern::test::run_task(context,
                                   spool.append(std::string_view(plain).substr(at, 50'000))));
    const auto body = must(postern::test::run_task(context, spool.finish()));
    CHECK((body.staged != nullptr) == (size > kStageThreshold));
    must(f.put(body));
    CHECK(must(f.get(body.object)) == plain);
  }
}

TEST_CASE("spool_stages_nothing_below_the_disk_reserve") {
  Fixture f;
  must(sweep_staging(f.directory / "staging"));
  asio::io_context context{1};
  WorkerPool workers("body", 1, 100);
  bool below = false;
  const Staging staging(workers, f.directory / "staging", [&] { return below; });
  auto spool = staging.spool(f.key);
  must(postern::test::run_task(context, spool.append(blob_of(kStageThreshold, 11))));
  below = true;
  const auto refused = postern::test::run_task(context, spool.append(blob_of(kStageThreshold, 12)));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::overloaded);
  // What needs no staging is not stopped here: its commit is.
  auto small = staging.spool(f.key);
  must(postern::test::run_task(context, small.append("small")));
  CHECK(must(postern::test::run_task(context, small.finish())).size == 5);
}

TEST_CASE("spool_without_a_place_to_stage_fails_at_the_threshold") {
  Fixture f;
  asio::io_context context{1};
  WorkerPool workers("body", 1, 100);
  auto spool = Staging(workers, f.directory / "nowhere").spool(f.key);
  const auto first = postern::test::run_task(context, spool.append(blob_of(kStageThreshold, 11)));
  const auto second = postern::test::run_task(context, spool.append(blob_of(kStageThreshold, 12)));
  CHECK(first.has_value());
  REQUIRE_FALSE(second);
  CHECK(second.error().code == Errc::io);
}

TEST_CASE("staged_body_can_be_put_again_after_a_failure") {
  Fixture f;
  must(sweep_staging(f.directory / "staging"));
  const auto plain = blob_of(500'000, 5);
  const auto object = ObjectId::make();
  BodyWriter writer(f.key, object, f.directory / "staging");
  must(writer.append(plain));
  const auto body = must(writer.finish());
  CHECK(f.database
            ->write_blocking<void>(Purpose::intake,
                                   [&](sql::Transaction& tx) -> Result<void> {
                                     sql::TenantScope scope(tx, f.key->tenant);
                                     put_body(scope, body);
                                     return fail(Errc::denied, "not this time");
                                   })
            .error()
            .code == Errc::denied);
  must(f.put(body));
  CHECK(must(f.get(object)) == plain);
  CHECK(f.put(body).error().code == Errc::exists);
}

TEST_CASE("staging_leaves_neither_files_nor_descriptors") {
  Fixture f;
  must(sweep_staging(f.directory / "staging"));
  const auto before = open_descriptors();
  {
    BodyWriter dropped(f.key, ObjectId::make(), f.directory / "staging");
    must(dropped.append(blob_of(600'000, 6)));
    CHECK(open_descriptors() == before + 1);
    BodyWriter finished(f.key, ObjectId::make(), f.directory / "staging");
    must(finished.append(blob_of(600'000, 6)));
    const auto body = must(finished.finish());
  }
  CHECK(open_descriptors() == before);
  CHECK(fs::is_empty(f.directory / "staging"));
}

TEST_CASE("staging_in_a_missing_directory_fails") {
  Fixture f;
  BodyWriter writer(f.key, ObjectId::make(), f.directory / "nowhere");
  const auto appended = writer.append(blob_of(600'000, 7));
  REQUIRE_FALSE(appended);
  CHECK(appended.error().code == Errc::io);
}

TEST_CASE("sweep_removes_what_a_crash_left_and_nothing_else") {
  TempDirectory directory;
  const auto staging = directory / "staging";
  must(sweep_staging(staging));
  std::fclose(std::fopen((staging + "/old.stage").c_str(), "w"));
  std::fclose(std::fopen((staging + "/notes.txt").c_str(), "w"));
  must(sweep_staging(staging));
  CHECK_FALSE(fs::exists(staging + "/old.stage"));
  CHECK(fs::exists(staging + "/notes.txt"));
}

}  // namespace postern::storage::test
