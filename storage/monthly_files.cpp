#include "storage/monthly_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "core/ascii.hpp"

namespace postern::storage {

namespace {

namespace fs = std::filesystem;
constexpr std::string_view kSuffix = ".db";
constexpr std::size_t kDigits = 6;  // YYYYMM

/// Without it a crash could bring a dropped file back.
Result<void> sync_directory(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool good = fd >= 0 && ::fsync(fd) == 0;
  if (fd >= 0) ::close(fd);
  if (!good) return fail(Errc::io, "cannot sync " + path);
  return {};
}

}  // namespace

Month month_of(Timestamp time) {
  const std::chrono::year_month_day day{std::chrono::floor<std::chrono::days>(time)};
  return day.year() / day.month();
}

std::string MonthlyFiles::name_of(Month month) const {
  return fmt::format("{}-{:04}{:02}{}", options_.stem, static_cast<int>(month.year()),
                     static_cast<unsigned>(month.month()), kSuffix);
}

std::string MonthlyFiles::path_of(Month month) const {
  return options_.file.path + "/" + name_of(month);
}

std::optional<Month> MonthlyFiles::parse_name(std::string_view name) const {
  if (name.size() != options_.stem.size() + 1 + kDigits + kSuffix.size()) return std::nullopt;
  const auto digits = name.substr(options_.stem.size() + 1, kDigits);
  if (!std::ranges::all_of(digits, ascii::is_digit)) return std::nullopt;
  int number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const Month month{std::chrono::year{number / 100},
                    std::chrono::month{static_cast<unsigned>(number % 100)}};
  if (!month.ok() || name != name_of(month)) return std::nullopt;
  return month;
}

std::vector<Month> MonthlyFiles::months() const {
  std::vector<Month> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(options_.file.path, error)) {
    if (const auto month = parse_name(entry.path().filename().string())) found.push_back(*month);
  }
  std::ranges::sort(found);
  return found;
}

Result<MonthlyFiles::Handle> MonthlyFiles::open(Month month) {
  if (options_.mode == Mode::read_only) return find(month);
  std::scoped_lock lock(mutex_);
  return open_locked(month);
}

Result<MonthlyFiles::Handle> MonthlyFiles::find(Month month) {
  std::scoped_lock lock(mutex_);
  std::error_code error;
  if (!fs::exists(path_of(month), error)) return fail(Errc::not_found, "no " + name_of(month));
  return open_locked(month);
}

Result<MonthlyFiles::Handle> MonthlyFiles::open_locked(Month month) {
  if (const auto known = open_.find(month); known != open_.end()) {
    known->second.used = ++uses_;
    return known->second.database;
  }
  auto file = options_.file;
  file.path = path_of(month);
  auto opened = options_.mode == Mode::own ? Database::open(std::move(file))
                                           : Database::open_read_only(std::move(file));
  if (!opened) return std::unexpected(opened.error());
  Handle database = std::move(*opened);
  open_[month] = {database, ++uses_};
  close_idle();
  return database;
}

// Under the lock a count of one stays one: only the map has it, and nobody else can ask the map.
void MonthlyFiles::close_idle() {
  while (open_.size() > options_.most_open) {
    auto oldest = open_.end();
    for (auto at = open_.begin(); at != open_.end(); ++at) {
      const bool idle = at->second.database.use_count() == 1;
      if (idle && (oldest == open_.end() || at->second.used < oldest->second.used)) oldest = at;
    }
    if (oldest == open_.end()) return;
    open_.erase(oldest);
  }
}

Result<std::vector<Month>> MonthlyFiles::drop_before(Month oldest) {
  if (options_.mode == Mode::read_only)
    return fail(Errc::denied, "the files were opened read-only");
  std::vector<Month> dropped;
  for (const auto month : months()) {
    if (month >= oldest) break;
    std::scoped_lock lock(mutex_);
    if (const auto known = open_.find(month); known != open_.end()) {
      if (known->second.database.use_count() > 1) continue;
      open_.erase(known);
    }
    if (auto removed = remove_file(month); !removed) return std::unexpected(removed.error());
    dropped.push_back(month);
  }
  if (dropped.empty()) return dropped;
  if (auto synced = sync_directory(options_.file.path); !synced)
    return std::unexpected(synced.error());
  return dropped;
}

// The database last: a log that outlived it would be played into the next file of that name.
Result<void> MonthlyFiles::remove_file(Month month) {
  for (const auto* suffix : {"-wal", "-shm", ""}) {
    std::error_code error;
    const auto path = path_of(month) + suffix;
    fs::remove(path, error);
    if (error) return fail(Errc::io, fmt::format("cannot remove {}: {}", path, error.message()));
  }
  return {};
}

Result<void> MonthlyFiles::backup_to(const std::string& directory) {
  for (const auto month : months()) {
    const auto database = find(month);
    if (!database && database.error().code == Errc::not_found) continue;  // dropped meanwhile
    if (!database) return std::unexpected(database.error());
    auto copied = (*database)->backup_to(directory + "/" + name_of(month));
    if (!copied) return copied;
  }
  return {};
}

}  // namespace postern::storage
