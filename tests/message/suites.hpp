// Reads the foreign test data in place; a test without it says SKIPPED.
#pragma once

#include <boost/json.hpp>
#include <catch2/catch.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/support/suites.hpp"

namespace postern::test {

inline std::filesystem::path suites_path(const std::string& below) { return suites_path() / below; }

inline bool suite_missing(const std::filesystem::path& path) {
  if (std::filesystem::exists(path)) return false;
  std::printf("SKIPPED: the suite data is not at %s\n", path.c_str());
  std::fflush(stdout);
  return true;
}

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline boost::json::value read_json(const std::filesystem::path& path) {
  boost::json::parse_options options;
  options.max_depth = 200;
  return boost::json::parse(read_file(path), {}, options);
}

}  // namespace postern::test
