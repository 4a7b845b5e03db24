// Where the test data of others lies: POSTERN_SUITES, or ../shared/suites from the repository's
// root (the directory that the tests run in). Read in place, never copied.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace postern::test {

inline std::filesystem::path suites_path() {
  const char* set = std::getenv("POSTERN_SUITES");
  return set != nullptr && *set != '\0' ? set : "../shared/suites";
}

/// `if (auto spf = require_suite("spf"); !spf) return;` The suite's path, or nullopt after a line
/// that says what was skipped (the summary of the test run counts those lines).
inline std::optional<std::filesystem::path> require_suite(std::string_view name) {
  auto path = suites_path() / name;
  if (std::filesystem::exists(path)) return path;
  std::printf("SKIPPED: the suite %s is not at %s\n", std::string(name).c_str(), path.c_str());
  std::fflush(stdout);
  return std::nullopt;
}

}  // namespace postern::test
