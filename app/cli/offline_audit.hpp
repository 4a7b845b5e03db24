// `postern audit verify --data DIR`: from the files, read-only, with or without a server running.
#pragma once

#include <functional>
#include <string>

#include "app/cli/context.hpp"

namespace postern::cli {

struct OfflineAudit {
  std::string data;        ///< the server's data directory
  std::string statements;  ///< a witness's file; empty: the chains alone
  std::string public_key;  ///< the witness's, in PEM
};

/// The answer is the server's own to a check of its chains; with statements it has a member more:
///   "witness": {"statements": N, "matched": N, "cut": N, "closed": N, "closed_unsigned": N,
///               "torn": N, "contradictions": [{"chain", "number", "stated_at", "problem"} or
///               {"line", "problem"}, ...]}
/// `matched`, `cut` and `closed` count ends; one that statements in a row tell counts once.
/// Exit code 1 when anything was found.
void verify_audit_offline(Context& context, const OfflineAudit& what,
                          const std::function<void(const boost::json::value&)>& print);

}  // namespace postern::cli
