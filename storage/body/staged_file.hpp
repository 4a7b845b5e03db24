// Sealed pieces of one large body on disk, while it arrives and until its commit has copied them.
//
// The file is unlinked as soon as it is open: a crash leaves nothing behind but, between two system
// calls, an empty file, which sweep_staging() removes at the next start. Not synced: the commit
// copies.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace postern::storage {

class StagedFile {
 public:
  static Result<std::unique_ptr<StagedFile>> make(const std::string& directory);
  ~StagedFile();
  StagedFile(const StagedFile&) = delete;
  StagedFile& operator=(const StagedFile&) = delete;

  /// Errc::overloaded when the disk is full, else Errc::io.
  Result<void> append(std::string_view piece);
  [[nodiscard]] std::size_t count() const { return extents_.size(); }
  [[nodiscard]] Result<std::string> read(std::size_t index) const;

 private:
  struct Extent {
    std::uint64_t offset;
    std::uint32_t size;
  };
  explicit StagedFile(int fd) : fd_(fd) {}
  int fd_;
  std::uint64_t end_ = 0;
  std::vector<Extent> extents_;
};

/// Makes the directory (0700), or removes what a crash left there. Only before the first
/// StagedFile.
Result<void> sweep_staging(const std::string& directory);

}  // namespace postern::storage
