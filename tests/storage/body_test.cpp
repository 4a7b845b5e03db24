#include <dirent.h>

#include <filesystem>

#include "core/crypto.hpp"
#include "core/random.hpp"
#include "storage/body/body_store.hpp"
#include "storage/body/staged_file.hpp"
#include "tests/storage/support.hpp"

namespace postern::storage::test {

namespace {

namespace fs = std::filesystem;

struct Fixture {
  TempDirectory directory;
  std::unique_ptr<Database> database = open_database(directory / "x.db");
  std::shared_ptr<const DataKey> key =
      std::make_shared<const DataKey>(DataKey{TenantId::make(), random_bytes(32)});

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
  for (const auto size : kSizes) {
    for (const auto& plain : {text_of(size), blob_of(size, 1)}) {
      INFO(size);
      const auto object = ObjectId::make();
      const auto body = seal_body(*f.key, object, plain);
      CHECK(body.size == size);
      CHECK(body.sha256 == crypto::sha256(plain));
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

TEST_CASE("find_body_tells_size_and_hash") {
  Fixture f;
  const auto object = ObjectId::make();
  must(f.put(seal_body(*f.key, object, "text")));
  const auto head = must(f.database->read_blocking<BodyHead>([&](sql::Transaction& tx) {
    sql::TenantScope scope(tx, f.key->tenant);
    return find_body(scope, object);
  }));
  CHECK(head.size == 4);
  CHECK(head.sha256 == crypto::sha256("text"));
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
  dropped.piece_count = 2;
  dropped.body_size = 2 * kPieceSize;
  check_corrupt(dropped);
  auto missing = good;
  missing.pieces.pop_back();
  check_corrupt(missing);
  auto empty_piece = good;
  empty_piece.pieces[0].clear();
  check_corrupt(empty_piece);
  auto resized = good;
  resized.body_size -= 1;
  check_corrupt(resized);
}

TEST_CASE("body_opens_only_with_its_own_key_tenant_and_id") {
  Fixture f;
  const auto object = ObjectId::make();
  must(f.put(seal_body(*f.key, object, "secret")));
  const auto range = must(f.fetch(f.key->tenant, object, 0, 100));
  CHECK(must(open_range(*f.key, object, range, 0, 100)) == "secret");
  CHECK(open_range(*f.key, ObjectId::make(), range, 0, 100).error().code == Errc::corrupt);
  CHECK(open_range({TenantId::make(), f.key->key}, object, range, 0, 100).error().code ==
        Errc::corrupt);
  CHECK(open_range({f.key->tenant, random_bytes(32)}, object, range, 0, 100).error().code ==
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
      CHECK(body.sha256 == whole.sha256);
      CHECK(body.piece_count() == whole.piece_count());
      must(f.put(body));
      CHECK(must(f.get(object)) == plain);
    }
  }
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
