// One process a data directory: an flock() on DIR/lock, held for the life of the object.
#pragma once

#include <memory>
#include <string>

#include "core/result.hpp"

namespace postern::storage {

class DirectoryLock {
 public:
  /// Errc::exists while another process (or another Store of this one) holds it.
  static Result<std::unique_ptr<DirectoryLock>> take(const std::string& directory);
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

 private:
  explicit DirectoryLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace postern::storage
