// The data directory's files, opened together: control.db, queue.db, mail-NN.db; and on demand
// events-YYYYMM.db (monthly_files.hpp).
//
// There is no commit across files. What crosses writes its intent in the first, applies it under a
// unique delivery id in the second, then removes the intent (outbox.hpp).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "storage/database.hpp"
#include "storage/monthly_files.hpp"

namespace postern::storage {

class Store {
 public:
  struct Options {
    std::string directory;
    std::size_t mail_shards = 2;  ///< fixed when the directory is made
    std::size_t readers_per_file = 2;
    std::size_t queue_limit = 10'000;           ///< closures that wait for a file's writer
    std::uint64_t disk_reserve = 256ULL << 20;  ///< bytes; below it intake stops
    std::vector<sql::Schema>
        control;  ///< components of control.db; storage adds its own (schema.hpp):
    std::vector<sql::Schema> queue;  ///< the outbox everywhere, bodies to queue and mail
    std::vector<sql::Schema> mail;
    std::vector<sql::Schema> events;
  };
  /// Makes the directory (0700) if need be, locks it, sweeps its staging directory, opens or makes
  /// and migrates the files. Errc::exists while another process has it; Errc::invalid when
  /// `mail_shards` isn't the number that the directory was made with.
  static Result<std::unique_ptr<Store>> open(Options options);
  /// For tools: locks and changes nothing, migrates nothing; `mail_shards` is what the directory
  /// has.
  static Result<std::unique_ptr<Store>> open_read_only(Options options);
  ~Store();

  Database& control();
  Database& queue();
  Database& mail(std::size_t shard);
  [[nodiscard]] std::size_t mail_shards() const;
  MonthlyFiles& events();
  /// True while free space is below the reserve (measured each second, not at each call).
  [[nodiscard]] bool below_reserve() const;
  [[nodiscard]] const std::string& directory() const;
  [[nodiscard]] std::string staging_directory() const;

  /// Copies of all files as they were at one moment, into a directory that is made (Errc::exists
  /// when it is there and not empty). Those of events() are of a moment later: what moved there
  /// from an outbox meanwhile is in both copies, and moving it again changes nothing.
  Result<void> backup_to(const std::string& directory);

 private:
  struct Impl;
  explicit Store(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace postern::storage
