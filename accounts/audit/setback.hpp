// What two answers about the chains' ends tell against one another, without a look at any record: a
// witness asks again and again, and a chain only ever grows.
//
// Blind to what was rewritten below an end that went on since; that shows against the database
// (check_against in witness.hpp). Pure functions, thread-safe.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "accounts/audit/witness.hpp"

namespace postern::accounts::audit {

enum class Setback : std::uint8_t {
  went_back,  ///< it ends before the record that was its newest
  replaced,   ///< it ends with the same number and another record
  vanished,   ///< gone, though nothing was entered in the platform's chain; or that one itself
};
std::string_view to_string(Setback setback);

struct SetbackFinding {
  TenantId chain;
  std::uint64_t number = 0;  ///< of the record that was the newest
  Setback setback{};
};

/// In the order of `before`; all of them: no more than it has ends.
std::vector<SetbackFinding> compare_heads(const Heads& before, const Heads& now);

}  // namespace postern::accounts::audit
