// A witness's file of statements held against the database it speaks of, for
// `postern audit verify --witness`.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <string>

#include "accounts/audit/chain.hpp"
#include "accounts/audit/ed25519.hpp"
#include "core/result.hpp"

namespace postern::cli {

/// What the file was before the database was opened: a witness that goes on writes of later days.
struct StatementsFile {
  std::string path;
  accounts::audit::PublicKey key;
  std::uint64_t bytes = 0;

  static Result<StatementsFile> open(const std::string& path, const std::string& public_key_path);
};

/// The member "witness" of the answer (offline_audit.hpp); at most 1,000 contradictions of each
/// kind.
Result<boost::json::object> check_statements(sql::Transaction& tx,
                                             const accounts::audit::Chain& chain,
                                             const StatementsFile& file);

}  // namespace postern::cli
