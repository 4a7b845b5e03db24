// Audit chains in a database of the test's own, and hands that reach around the engine.
#pragma once

#include <sqlite3.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "accounts/audit/chain.hpp"
#include "accounts/audit/key.hpp"
#include "accounts/audit/query.hpp"
#include "accounts/audit/schema.hpp"
#include "accounts/audit/verify.hpp"
#include "accounts/schema.hpp"
#include "core/log.hpp"
#include "storage/database.hpp"
#include "storage/schema.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/temp_directory.hpp"

namespace postern::accounts::audit::test {

template <class T>
T must(Result<T> result) {
  if (!result) FAIL("unexpected error: " << result.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

inline const TenantId kPlatform{};

struct World {
  World() { must(log::configure(log::Level::error, log::Format::text, "")); }

  postern::test::TempDirectory directory;
  postern::test::FakeClock clock;
  std::string path = directory.file("control.db");
  std::unique_ptr<storage::Database> control = open();
  Chain chain{std::string(32, 'k')};
  TenantId mine = TenantId::make();
  TenantId theirs = TenantId::make();

  std::unique_ptr<storage::Database> open() const {
    storage::Database::Options options;
    options.path = path;
    options.schemas = {accounts::schema(), schema(), storage::outbox_schema()};
    return must(storage::Database::open(std::move(options)));
  }

  template <class F>
  auto change(F f) {
    using T = typename std::invoke_result_t<F, sql::Transaction&>::value_type;
    return control->write_blocking<T>(storage::Purpose::outcome,
                                      storage::Database::Closure<T>(std::move(f)));
  }
  template <class F>
  auto scoped(TenantId tenant, F f) {
    return change([tenant, f](sql::Transaction& tx) {
      sql::TenantScope scope(tx, tenant);
      return f(scope);
    });
  }

  Record record(const std::string& action, const std::string& target = "domain:example.org") const {
    Record fresh;
    fresh.at = clock.now();
    fresh.action = action;
    fresh.actor_kind = ActorKind::person;
    fresh.actor_id = "p-1";
    fresh.actor = "Ann";
    fresh.original_actor = "Bob";
    fresh.door = Door::http;
    fresh.address = "192.0.2.1";
    fresh.target = target;
    fresh.details = R"({"name":"example.org"})";
    fresh.request_id = "req-1";
    return fresh;
  }
  Result<void> try_append(TenantId id, const Record& one) {
    return change([this, id, one](sql::Transaction& tx) { return chain.append(tx, id, one); });
  }
  /// `count` records, a second apart.
  void append(TenantId id, int count = 1, const std::string& action = "domain.create") {
    for (int i = 0; i < count; ++i) {
      clock.advance(std::chrono::seconds(1));
      must(try_append(id, record(action)));
    }
  }

  Verification verify() {
    return must(control->read_blocking<Verification>(
        [this](sql::Transaction& tx) -> Result<Verification> { return verify_all(tx, chain); }));
  }
  Verification verify(TenantId id) {
    return must(control->read_blocking<Verification>(
        [this, id](sql::Transaction& tx) -> Result<Verification> {
          return verify_chain(tx, chain, id);
        }));
  }
  std::vector<Entry> all(TenantId id) {
    return must(scoped(id, [](sql::TenantScope& scope) -> Result<std::vector<Entry>> {
      return read_after(scope, 0, kMaxPage);
    }));
  }

  /// As somebody with the file and without the key does it: outside the engine.
  void raw(const std::string& script) const {
    sqlite3* db = nullptr;
    REQUIRE(sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK);
    sqlite3_busy_timeout(db, 5'000);
    char* message = nullptr;
    const int code = sqlite3_exec(db, script.c_str(), nullptr, nullptr, &message);
    const std::string text = message != nullptr ? message : "";
    sqlite3_free(message);
    sqlite3_close(db);
    INFO(script << ": " << text);
    REQUIRE(code == SQLITE_OK);
  }
  static std::string sql(TenantId id) { return "x'" + id.text() + "'"; }
};

/// "CHAIN NUMBER[-LAST] PROBLEM" of each finding; chains named by the test.
inline std::vector<std::string> described(
    const Verification& found, const std::vector<std::pair<TenantId, std::string>>& names) {
  std::vector<std::string> out;
  for (const auto& finding : found.findings) {
    std::string line = finding.chain == kPlatform ? "platform" : "?";
    for (const auto& [id, name] : names) {
      if (id == finding.chain) line = name;
    }
    line += " " + std::to_string(finding.number);
    if (finding.last != finding.number) line += "-" + std::to_string(finding.last);
    out.push_back(line + " " + std::string(to_string(finding.problem)));
  }
  std::ranges::sort(out);
  return out;
}

inline bool has(const Verification& found, TenantId id, Problem problem) {
  return std::ranges::any_of(found.findings, [&](const Finding& finding) {
    return finding.chain == id && finding.problem == problem;
  });
}

}  // namespace postern::accounts::audit::test
