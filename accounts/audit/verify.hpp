// Checks the audit chains as they stand in the database: every record's MAC, that the numbers have
// no gap, that both ends are where the head says, and that all heads together fit the seal.
//
// What it can't see: all chains and the seal put back together to an earlier day, removed
// altogether, or made anew with the server's own key. Those show against statements kept elsewhere
// (witness.hpp). Records under the id of no chain that is known from anywhere are not found; nobody
// is ever shown them.
//
// Runs in one transaction (one snapshot), in memory that doesn't grow with the records; a million
// records take seconds, so give it a reader's thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "accounts/audit/chain.hpp"

namespace postern::accounts::audit {

enum class Problem : std::uint8_t {
  /// A field or the MAC was edited, or the record was moved or forged. When fields and MAC both
  /// were, the record after it is reported too: what it was computed from is gone.
  record_altered,
  records_missing,    ///< removed: `number` to `last`
  record_unexpected,  ///< before the first or after the last record that the head knows
  head_altered,       ///< where the chain begins or ends was edited
  head_missing,
  head_contradicts,     ///< genuine, but its MAC isn't that of the newest record: an older head
  chain_missing,        ///< the platform's chain tells of it, nothing is there
  chain_unannounced,    ///< there, but the platform's chain doesn't tell of its opening
  chain_reopened,       ///< opened twice: removed as a whole in between
  chain_unlisted,       ///< not in the list of chains
  closing_missing,      ///< closed, but the platform's chain doesn't tell of it
  closing_contradicts,  ///< the closing tells another end than the head
  seal_altered,         ///< edited or removed
  heads_disagree,       ///< genuine heads that aren't of one time: a chain was put back or removed
  resumed,              ///< an operator went on after such a finding
};
std::string_view to_string(Problem problem);

struct Finding {
  TenantId chain;  ///< nil: the platform's, or all (seal)
  std::int64_t number = 0;
  std::int64_t last = 0;  ///< equals `number` unless a range is meant
  Problem problem{};
};

inline constexpr std::size_t kMaxFindings = 1'000;

struct Verification {
  std::uint64_t chains = 0;
  std::uint64_t records = 0;
  std::uint64_t problems = 0;
  std::vector<Finding> findings;  ///< the first kMaxFindings of them

  [[nodiscard]] bool sound() const { return problems == 0; }
  void add(Finding finding);
};

/// One chain by itself: not the seal, nor what the platform's chain tells of it.
Verification verify_chain(sql::Transaction& tx, const Chain& chain, TenantId id);
/// All chains that the list, the table of tenants and the platform's chain know of, and the seal.
Verification verify_all(sql::Transaction& tx, const Chain& chain);

}  // namespace postern::accounts::audit
