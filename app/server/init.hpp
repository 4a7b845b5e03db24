// Makes a new data directory: settings, master key, certificate, databases.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "core/result.hpp"

namespace postern::server {

enum class Profile : std::uint8_t {
  local,    ///< unprivileged ports on loopback: to try it, and for tests
  public_,  ///< 25, 465, 587, 143 and 993 on every address
};

struct InitOptions {
  std::filesystem::path data;
  std::string hostname;
  Profile profile = Profile::local;
};

/// Errc::exists when the directory holds a server already; Errc::io with the file's name. On
/// failure what was made is removed.
Result<void> initialise(const InitOptions& options);

}  // namespace postern::server
