// One database file a month in the data directory, `STEM-YYYYMM.db`: what is kept by age (delivery
// events) is forgotten by dropping a file.
//
// Files are opened on demand and a few stay open; the current month's is written all the time, an
// older one only by what comes late. Everything here blocks (opening may migrate, closing
// checkpoints): call it from a worker thread, and let go of what open() and find() give there too.
// Thread-safe. Owner: Store.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"
#include "storage/database.hpp"

namespace postern::storage {

using Month = std::chrono::year_month;

/// The month of a moment, in UTC. File names have four digits for the year: callers keep times
/// within the years 0 to 9999.
Month month_of(Timestamp time);

class MonthlyFiles {
 public:
  enum class Mode : std::uint8_t { own, read_only };
  struct Options {
    std::string stem;        ///< "events"
    Database::Options file;  ///< for every file; `path` is the directory
    Mode mode = Mode::own;
    std::size_t most_open = 3;  ///< those in use come on top
  };
  using Handle = std::shared_ptr<Database>;

  explicit MonthlyFiles(Options options) : options_(std::move(options)) {}

  /// The month's file, made if it isn't there (Errc::not_found in a read-only store).
  Result<Handle> open(Month month);
  /// Errc::not_found when there is none.
  Result<Handle> find(Month month);
  /// Those that have a file, oldest first.
  [[nodiscard]] std::vector<Month> months() const;
  /// Deletes the files of the months before `oldest`, but those that are in use (the next call gets
  /// them). Gives what was deleted.
  Result<std::vector<Month>> drop_before(Month oldest);
  /// Copies of all files, each complete and no older than this call, into a directory.
  Result<void> backup_to(const std::string& directory);

 private:
  struct Open {
    Handle database;
    std::uint64_t used = 0;  ///< a count of uses, for the least recent
  };
  [[nodiscard]] std::string name_of(Month month) const;
  [[nodiscard]] std::string path_of(Month month) const;
  [[nodiscard]] std::optional<Month> parse_name(std::string_view name) const;
  Result<Handle> open_locked(Month month);
  void close_idle();
  Result<void> remove_file(Month month);

  const Options options_;
  std::mutex mutex_;  ///< held while a file is opened or closed, so that each is open once
  std::map<Month, Open> open_;
  std::uint64_t uses_ = 0;
};

}  // namespace postern::storage
