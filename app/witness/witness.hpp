// `postern witness`: a process of its own, meant for a user of its own, that asks the server for
// the ends of its audit chains now and then, and signs and keeps what it heard.
//
// It trusts the server in nothing, its clock included: statements carry the witness's own time.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "accounts/audit/setback.hpp"
#include "core/result.hpp"

namespace postern::witness {

struct Options {
  std::string socket;  ///< the server's `audit.witness_socket`
  std::string key;     ///< from `postern witness init`
  std::string file;    ///< of statements; made when it isn't there
  std::chrono::milliseconds interval{std::chrono::minutes(1)};
};

using Findings = std::vector<accounts::audit::SetbackFinding>;

/// One statement. Errors: nothing was written.
Result<Findings> run_once(const Options& options);

/// Until SIGTERM or SIGINT. What goes wrong in a round is logged, and the next one tries again; a
/// contradiction is logged in every round from then on.
Result<void> run(const Options& options);

/// "CHAIN: WHAT (it had record NUMBER)"
std::string describe(const accounts::audit::SetbackFinding& finding);

}  // namespace postern::witness
