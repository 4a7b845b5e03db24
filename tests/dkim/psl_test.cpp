// The public suffix list's own checks, for the second opinion on organizational domains.
#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "dkim/domain.hpp"
#include "tests/support/suites.hpp"

using namespace postern;

TEST_CASE("public_suffix_checks") {
  const auto suite = test::require_suite("psl");
  if (!suite) return;
  std::ifstream in(*suite / "tests.txt");
  std::size_t cases = 0;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line.starts_with("//")) continue;
    std::istringstream words(line);
    std::string name;
    std::string wanted;
    words >> name >> wanted;
    if (name == "null") continue;
    const auto got = dkim::registrable_domain(name);
    INFO(line);
    // The list is said in U-labels or A-labels; ours always answers in A-labels.
    CHECK(got == (wanted == "null" ? std::nullopt : dkim::normalize_domain(wanted)));
    ++cases;
  }
  CHECK(cases > 50);
}
