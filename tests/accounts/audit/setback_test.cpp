#include "accounts/audit/setback.hpp"

#include <catch2/catch.hpp>

#include "accounts/audit/mac.hpp"

using namespace postern;
using namespace postern::accounts::audit;

namespace {

const TenantId kPlatformChain{};
const TenantId kMine = TenantId::make();
const TenantId kTheirs = TenantId::make();

ChainEnd end(TenantId chain, std::uint64_t number, char mac) {
  return {chain, number, std::string(kMacSize, mac)};
}
Heads heads(std::vector<ChainEnd> ends) { return {Timestamp{}, std::move(ends)}; }

struct Case {
  const char* what;
  std::vector<ChainEnd> before;
  std::vector<ChainEnd> now;
  std::vector<std::pair<TenantId, Setback>> expected;
};

}  // namespace

TEST_CASE("heads_that_only_grow_are_no_setback_and_others_are", "[audit]") {
  using enum Setback;
  const auto platform = end(kPlatformChain, 4, 'p');
  const std::vector<Case> cases{
      {"the first answer", {}, {platform}, {}},
      {"the same", {platform, end(kMine, 7, 'a')}, {platform, end(kMine, 7, 'a')}, {}},
      {"grown by one", {platform, end(kMine, 7, 'a')}, {platform, end(kMine, 8, 'b')}, {}},
      {"another order",
       {platform, end(kMine, 7, 'a'), end(kTheirs, 2, 't')},
       {end(kTheirs, 2, 't'), end(kMine, 7, 'a'), platform},
       {}},
      {"opened", {platform}, {end(kPlatformChain, 5, 'q'), end(kMine, 1, 'a')}, {}},
      {"closed: the platform's chain has a record of it",
       {platform, end(kMine, 7, 'a')},
       {end(kPlatformChain, 5, 'q')},
       {}},
      {"back by one",
       {platform, end(kMine, 7, 'a')},
       {platform, end(kMine, 6, 'b')},
       {{kMine, went_back}}},
      {"back, the platform's too",
       {platform, end(kMine, 7, 'a')},
       {end(kPlatformChain, 3, 'o'), end(kMine, 1, 'b')},
       {{kPlatformChain, went_back}, {kMine, went_back}}},
      {"another record under the number",
       {platform, end(kMine, 7, 'a')},
       {platform, end(kMine, 7, 'b')},
       {{kMine, replaced}}},
      {"gone, and the platform's chain stood still",
       {platform, end(kMine, 7, 'a')},
       {platform},
       {{kMine, vanished}}},
      {"the platform's gone", {platform}, {end(kMine, 9, 'a')}, {{kPlatformChain, vanished}}},
      {"all gone",
       {platform, end(kMine, 7, 'a')},
       {},
       {{kPlatformChain, vanished}, {kMine, vanished}}},
  };
  for (const auto& one : cases) {
    INFO(one.what);
    std::vector<std::pair<TenantId, Setback>> found;
    for (const auto& finding : compare_heads(heads(one.before), heads(one.now)))
      found.emplace_back(finding.chain, finding.setback);
    CHECK(found == one.expected);
  }
}

TEST_CASE("setback_names_the_record_that_was_the_newest", "[audit]") {
  const auto found = compare_heads(heads({end(kMine, 7, 'a')}), heads({end(kMine, 2, 'b')}));
  REQUIRE(found.size() == 1);
  CHECK(found[0].number == 7);
}
