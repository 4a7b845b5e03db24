#include "storage/backup.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "core/time.hpp"

namespace postern::storage {

namespace {

namespace fs = std::filesystem;

Result<void> sync_path(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC);
  const bool good = fd >= 0 && ::fsync(fd) == 0;
  const int why = errno;
  if (fd >= 0) ::close(fd);
  if (!good) return fail(Errc::io, fmt::format("cannot sync {}: {}", path, std::strerror(why)));
  return {};
}

struct CloseDatabase {
  void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
};

/// An empty private file, so that the copy is never readable by others.
Result<std::unique_ptr<sqlite3, CloseDatabase>> open_target(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return fail(Errc::io, fmt::format("cannot make {}: {}", path, std::strerror(errno)));
  ::close(fd);
  sqlite3* db = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READWRITE, nullptr);
  std::unique_ptr<sqlite3, CloseDatabase> target(db);
  if (code != SQLITE_OK) return fail(Errc::io, fmt::format("cannot open {}", path));
  return target;
}

Result<void> copy_pages(sqlite3* source, sqlite3* target, const std::string& path) {
  sqlite3_backup* backup = sqlite3_backup_init(target, "main", source, "main");
  if (backup == nullptr) return fail(Errc::io, fmt::format("{}: {}", path, sqlite3_errmsg(target)));
  // All in one step: one read snapshot, so that writers never make it start again.
  sqlite3_backup_step(backup, -1);
  const int code = sqlite3_backup_finish(backup);
  if (code != SQLITE_OK) return fail(Errc::io, fmt::format("{}: {}", path, sqlite3_errstr(code)));
  return {};
}

Result<void> copy_to(sql::Connection& source, const std::string& path) {
  auto target = open_target(path);
  if (!target) return std::unexpected(target.error());
  return copy_pages(source.handle(), target->get(), path);
}

}  // namespace

Result<void> copy_database(sql::Connection& source, const std::string& path) {
  const auto part = path + ".part";
  auto copied = copy_to(source, part);
  if (copied) copied = sync_path(part, O_RDONLY);
  std::error_code error;
  if (!copied) {
    fs::remove(part, error);
    return copied;
  }
  fs::rename(part, path, error);
  if (error) return fail(Errc::io, fmt::format("cannot rename to {}: {}", path, error.message()));
  const auto parent = fs::path(path).parent_path();
  return sync_path(parent.empty() ? "." : parent.string(), O_RDONLY | O_DIRECTORY);
}

Result<void> pin_snapshot(sql::Connection& source) try {
  if (const int code = source.control(sql::Connection::Verb::begin); code != SQLITE_OK) {
    return fail(Errc::io, source.last_error());
  }
  source.prepare_unguarded("SELECT 1 FROM sqlite_master LIMIT 1").step();
  return {};
} catch (const sql::EngineError& error) {
  return fail(Errc::io, error.what());
}

Result<void> check_database(const std::string& path) {
  auto connection = sql::Connection::open(
      {.path = path, .access = sql::Connection::Access::tool, .catalog = {}, .vfs = {}});
  if (!connection) return std::unexpected(connection.error());
  try {
    auto check = (*connection)->prepare_unguarded("PRAGMA quick_check(1)");
    if (check.step() && check.text(0) == "ok") return {};
    return fail(Errc::corrupt, fmt::format("{}: {}", path, check.text(0)));
  } catch (const sql::EngineError& error) {
    return fail(Errc::corrupt, fmt::format("{}: {}", path, error.what()));
  }
}

std::string migration_backup_path(const std::string& directory, const std::string& path) {
  const auto stem = fs::path(path).stem().string();
  const auto now = std::chrono::system_clock::to_time_t(system_clock().now());
  const auto base =
      fmt::format("{}/{}-{:%Y%m%dT%H%M%SZ}-before-migration", directory, stem, fmt::gmtime(now));
  auto name = base + ".db";
  for (int number = 2; fs::exists(name); ++number) name = fmt::format("{}-{}.db", base, number);
  return name;
}

}  // namespace postern::storage
