#include "accounts/password.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "tests/accounts/world.hpp"

using namespace postern;
using namespace postern::accounts;
using namespace postern::accounts::test;

// From the reference implementation's own tests (argon2id, v=19, t=2, m=2^16, p=1).
constexpr const char* kReference =
    "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";

TEST_CASE("argon2_verifies_the_reference_vector") {
  CHECK(argon2_verify("password", kReference));
  CHECK_FALSE(argon2_verify("passwore", kReference));
}

TEST_CASE("argon2_hash_carries_its_parameters_and_a_fresh_salt") {
  const auto hash = argon2_hash("a password", {128, 2, 2});
  CHECK(hash.starts_with("$argon2id$v=19$m=128,t=2,p=2$"));
  CHECK(must(argon2_parameters(hash)) == Argon2Parameters{128, 2, 2});
  CHECK(hash != argon2_hash("a password", {128, 2, 2}));
  CHECK(argon2_verify("a password", hash));
  CHECK_FALSE(argon2_verify("A password", hash));
  CHECK_FALSE(argon2_verify("", hash));
}

TEST_CASE("argon2_hash_of_another_kind_or_too_costly_is_refused_without_a_run") {
  const auto before = argon2_runs();
  for (const std::string& phc :
       {std::string(), std::string("$argon2id$"),
        std::string("$argon2i$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2g"),
        std::string("$argon2id$v=16$m=64,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2g"),
        std::string("$argon2id$v=19$m=1048577,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2g"),
        std::string("$argon2id$v=19$m=64,t=17,p=1$c2FsdHNhbHQ$aGFzaGhhc2g"),
        std::string("$argon2id$v=19$m=64,t=1,p=17$c2FsdHNhbHQ$aGFzaGhhc2g"),
        std::string("$argon2id$v=19$m=64,t=0,p=1$c2FsdHNhbHQ$aGFzaGhhc2g"),
        std::string("$argon2id$v=19$m=4294967360,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2g"),
        std::string(300, '$')}) {
    INFO(phc);
    CHECK_FALSE(argon2_verify("password", phc));
    CHECK_FALSE(argon2_parameters(phc));
  }
  CHECK(argon2_runs() == before);
}

TEST_CASE("pool_costs_one_run_whatever_it_is_asked") {
  asio::io_context context{1};
  PasswordPool pool({kSmall, 2, 16, 1 << 20});
  const auto cost = [&](auto task) {
    const auto before = argon2_runs();
    const auto outcome = must(postern::test::run_task(context, std::move(task)));
    CHECK(argon2_runs() == before + 1);
    return outcome;
  };
  const auto hash = cost(pool.hash("a password"));
  CHECK(cost(pool.verify("a password", hash)));
  CHECK_FALSE(cost(pool.verify("another one", hash)));
  CHECK_FALSE(cost(pool.verify("a password", "damaged")));
  CHECK_FALSE(cost(pool.verify_dummy("a password")));
}

TEST_CASE("pool_knows_hashes_of_other_parameters") {
  PasswordPool pool({kSmall, 1, 4, 1 << 20});
  const auto hash = argon2_hash("x", kSmall);
  CHECK_FALSE(pool.is_outdated(hash));
  CHECK(pool.is_outdated(argon2_hash("x", {128, 1, 1})));
  CHECK(pool.is_outdated("damaged"));
  pool.set_parameters({128, 1, 1});
  CHECK(pool.is_outdated(hash));
}

namespace {
Task<void> tally(PasswordPool* pool, int* fine, int* overloaded) {
  const auto outcome = co_await pool->verify_dummy("a password");
  if (outcome) {
    ++*fine;
  } else if (outcome.error().code == Errc::overloaded) {
    ++*overloaded;
  }
}
}  // namespace

TEST_CASE("pool_with_a_full_queue_answers_overloaded_at_once") {
  asio::io_context context{1};
  PasswordPool pool({{16 * 1024, 2, 1}, 1, 2, 1 << 20});
  int fine = 0;
  int overloaded = 0;
  for (int i = 0; i < 20; ++i)
    asio::co_spawn(context, tally(&pool, &fine, &overloaded), asio::detached);
  context.run();
  CHECK(fine + overloaded == 20);
  CHECK(fine >= 2);
  CHECK(overloaded >= 10);
}

TEST_CASE("pool_over_its_memory_limit_runs_one_at_a_time") {
  asio::io_context context{1};
  PasswordPool pool({{1024, 1, 1}, 4, 100, 1024});  // one run alone exceeds it
  int fine = 0;
  int overloaded = 0;
  for (int i = 0; i < 20; ++i)
    asio::co_spawn(context, tally(&pool, &fine, &overloaded), asio::detached);
  context.run();
  CHECK(fine == 20);
}
