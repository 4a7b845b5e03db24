// The server's audit key: 32 random bytes made at first use and kept in control.db, wrapped by the
// master key. Every chain's own key is derived from it (chain.hpp).
#pragma once

#include <string>

#include "core/result.hpp"
#include "core/time.hpp"
#include "storage/database.hpp"
#include "storage/keystore.hpp"

namespace postern::accounts::audit {

/// Blocking: at start. The caller wipes the key. Errc::corrupt when chains are there but the key
/// isn't (with a new one every old record would look forged), or when the master key doesn't open
/// it.
Result<std::string> open_chain_key(storage::Database& control, storage::MasterKey& master,
                                   Timestamp now);
/// Never makes one: for tools that only read. Errc::not_found before the first use.
Result<std::string> read_chain_key(storage::Database& control, storage::MasterKey& master);

}  // namespace postern::accounts::audit
