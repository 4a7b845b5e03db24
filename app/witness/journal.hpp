// The witness's file: each answer about the chains' ends is held against the one before, then
// signed and appended, whatever it says: a contradiction is proof only once it is in the file.
//
// One process at a time writes a file. Owner: the witness's loop, on one thread; blocking.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "accounts/audit/ed25519.hpp"
#include "accounts/audit/setback.hpp"
#include "accounts/audit/witness.hpp"

namespace postern::witness {

class Journal {
 public:
  /// Errc::corrupt: the file isn't of statements of this key.
  static Result<Journal> open(std::string path, accounts::audit::WitnessKey key);

  /// On disk when it returns. What can't be true if the statement before was.
  Result<std::vector<accounts::audit::SetbackFinding>> take(const accounts::audit::Heads& heads);

 private:
  Journal(std::string path, accounts::audit::WitnessKey key)
      : path_(std::move(path)), key_(std::move(key)) {}

  std::string path_;
  accounts::audit::WitnessKey key_;
  std::optional<accounts::audit::Heads> before_;
};

}  // namespace postern::witness
