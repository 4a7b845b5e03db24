#include "core/dns/cache.hpp"

#include <catch2/catch.hpp>

namespace {
using namespace postern::dns;
using namespace std::chrono_literals;

const Cache::Time kStart{1h};

std::shared_ptr<const Answer> make(std::string text = {}) {
  auto answer = std::make_shared<Answer>();
  answer->status = Status::ok;
  answer->texts = {std::move(text)};
  return answer;
}
}  // namespace

TEST_CASE("dns_cache_keeps_an_answer_for_its_time") {
  Cache cache(10, 1 << 20);
  const auto answer = make();
  cache.put("a.test", Type::txt, answer, kStart + 10s);
  CHECK(cache.get("a.test", Type::txt, kStart) == answer);
  CHECK(cache.get("a.test", Type::txt, kStart + 9999ms) == answer);
  CHECK_FALSE(cache.get("a.test", Type::mx, kStart));
  CHECK_FALSE(cache.get("b.test", Type::txt, kStart));
  CHECK_FALSE(cache.get("a.test", Type::txt, kStart + 10s));
  CHECK(cache.entries() == 0);
  CHECK(cache.bytes() == 0);
}

TEST_CASE("dns_cache_replaces_an_older_answer") {
  Cache cache(10, 1 << 20);
  cache.put("a.test", Type::txt, make("old"), kStart + 10s);
  cache.put("a.test", Type::txt, make("new"), kStart + 20s);
  CHECK(cache.entries() == 1);
  CHECK(cache.get("a.test", Type::txt, kStart + 15s)->texts.front() == "new");
}

TEST_CASE("dns_cache_full_drops_the_least_recently_used") {
  Cache cache(3, 1 << 20);
  for (const char* name : {"a", "b", "c"}) cache.put(name, Type::a, make(), kStart + 1h);
  REQUIRE(cache.get("a", Type::a, kStart));
  cache.put("d", Type::a, make(), kStart + 1h);
  CHECK(cache.entries() == 3);
  CHECK(cache.get("a", Type::a, kStart));
  CHECK_FALSE(cache.get("b", Type::a, kStart));
  CHECK(cache.get("c", Type::a, kStart));
  CHECK(cache.get("d", Type::a, kStart));
}

TEST_CASE("dns_cache_is_bounded_by_bytes") {
  constexpr std::size_t kLimit = 100'000;
  Cache cache(1'000, kLimit);
  for (int i = 0; i < 50; ++i) {
    cache.put(std::to_string(i), Type::txt, make(std::string(10'000, 'x')), kStart + 1h);
    CHECK(cache.bytes() <= kLimit);
  }
  CHECK(cache.entries() == 9);
  CHECK(cache.get("49", Type::txt, kStart));
  // One that is larger than all of the cache is not kept, and costs nobody their place.
  cache.put("huge", Type::txt, make(std::string(kLimit, 'x')), kStart + 1h);
  CHECK_FALSE(cache.get("huge", Type::txt, kStart));
  CHECK(cache.entries() == 9);
}

TEST_CASE("dns_cache_of_no_entries_keeps_none") {
  Cache cache(0, 1 << 20);
  cache.put("a", Type::a, make(), kStart + 1h);
  CHECK_FALSE(cache.get("a", Type::a, kStart));
}
