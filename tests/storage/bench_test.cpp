// Not a test: `test_storage [bench]` prints how many 10 KB bodies a second are stored durably.
#include <atomic>
#include <filesystem>
#include <thread>

#include "core/random.hpp"
#include "storage/body/body_store.hpp"
#include "tests/storage/support.hpp"

namespace postern::storage::test {

namespace {

std::string mail_like(std::size_t size) {
  std::string text;
  while (text.size() < size)
    text += fmt::format("Some words of a mail {:x}\r\n", random_below(UINT64_MAX));
  text.resize(size);
  return text;
}

double bodies_a_second(Database& database, const DataKey& key, int threads,
                       std::string_view plain) {
  std::atomic<bool> stop = false;
  std::atomic<int> stored = 0;
  std::vector<std::thread> writers;
  const auto start = std::chrono::steady_clock::now();
  for (int t = 0; t < threads; ++t) {
    writers.emplace_back([&] {
      while (!stop) {
        const auto body = seal_body(key, ObjectId::make(), plain);
        must(database.write_blocking<void>(Purpose::intake,
                                           [&](sql::Transaction& tx) -> Result<void> {
                                             sql::TenantScope scope(tx, key.tenant);
                                             put_body(scope, body);
                                             return {};
                                           }));
        ++stored;
      }
    });
  }
  std::this_thread::sleep_for(std::chrono::seconds(3));
  stop = true;
  for (auto& writer : writers) writer.join();
  return stored / std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

TEST_CASE("bench_durable_bodies", "[.bench]") {
  const DataKey key(TenantId::make(), random_bytes(32));
  for (const auto& [kind, plain] :
       {std::pair("text", mail_like(10'240)), std::pair("noise", blob_of(10'240, 1))}) {
    for (const int threads : {1, 8, 40}) {
      TempDirectory directory;
      auto database = open_database(directory / "x.db");
      const auto rate = bodies_a_second(*database, key, threads, plain);
      WARN(kind << ", " << threads << " writers: " << static_cast<int>(rate) << " bodies/s");
    }
  }
}

}  // namespace postern::storage::test
