// The chain of audit records: one a tenant, one for the platform (the nil TenantId).
//
// Each record carries an HMAC over itself and the HMAC before it, under a key derived from the
// server's audit key and the chain's id; each chain's ends are protected as head.hpp says. So what
// is edited, removed, added or moved in the database without the key shows (verify.hpp), and with
// the key it shows against a witness's statements (witness.hpp).
//
// Every function here works in the caller's transaction: a record and the act it tells of are
// committed together or not at all. Nothing is kept between calls, so closures may run again.
// Whatever a chain is, these functions go on only from a genuine end of it: Errc::corrupt means
// that somebody or something changed the database; nothing may then be done unrecorded, until an
// operator has looked (verify.hpp) and said resume().
//
// Owner: app, one a process; immutable, thread-safe. Untrusted: every text of a record
// (record.hpp).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "accounts/audit/closing.hpp"
#include "accounts/audit/ed25519.hpp"
#include "accounts/audit/head.hpp"
#include "accounts/audit/mac.hpp"
#include "accounts/audit/record.hpp"
#include "core/result.hpp"
#include "storage/sql/transaction.hpp"

namespace postern::accounts::audit {

/// What retention removed.
struct Cut {
  std::uint64_t count = 0;  ///< 0: nothing was old enough, nothing was written
  std::uint64_t last = 0;   ///< number of the newest removed record
  Timestamp last_at;
  std::string last_mac;
};

/// Who has a chain closed or resumed: fills the fields of the record about it that say so.
/// `action`, `target` and `details` are set here.
using By = Record;

class Chain {
 public:
  /// `key`: 32 bytes, from open_chain_key (key.hpp); the caller wipes its own.
  explicit Chain(std::string_view key);
  ~Chain();
  Chain(const Chain&) = delete;
  Chain& operator=(const Chain&) = delete;

  /// The first record of a tenant's chain opens it: a record in the platform's chain says so.
  /// Errc::denied after close(), Errc::corrupt, Errc::invalid (action).
  Result<void> append(sql::Transaction& tx, TenantId chain, const Record& record) const;

  /// Removes the oldest records of the scope's chain, up to the first that isn't older than
  /// `oldest`, at most `limit`; a record in the same chain tells of it. What is removed is checked
  /// first, so that no proof of tampering goes with it: Errc::corrupt.
  Result<Cut> cut_before(sql::TenantScope& scope, Timestamp oldest, Timestamp now,
                         std::size_t limit) const;

  /// Removes all records of a tenant's chain and closes it for good; the closing goes into the
  /// platform's chain, signed when there is a `key`. The head stays: a number and two MACs.
  /// Errc::not_found: the tenant has no chain. A chain of many records is better cut down first, in
  /// several transactions.
  Result<Closing> close(sql::Transaction& tx, TenantId chain, const By& by,
                        const WitnessKey* key) const;

  /// Goes on after Errc::corrupt from what is there, and makes the seal anew. Repairs nothing: the
  /// record of it tells what was found, and verify.hpp reports it as long as it is kept.
  Result<void> resume(sql::Transaction& tx, TenantId chain, const By& by) const;

  /// For verify.hpp and the like: the keys of one chain and of the seal.
  [[nodiscard]] KeyedMac chain_mac(TenantId chain) const;
  [[nodiscard]] KeyedMac seal_key() const;

 private:
  Result<Seal> open_seal(sql::Transaction& tx) const;
  /// The head of a chain that may be appended to; nullopt when it has to be opened.
  Result<std::optional<Head>> open_head(sql::TenantScope& scope, KeyedMac& mac) const;
  void replace_head(sql::TenantScope& scope, KeyedMac& mac, Seal& seal, Head& head) const;
  Result<void> append_sealed(sql::Transaction& tx, Seal& seal, TenantId chain,
                             const Record& record) const;
  Seal remake_seal(sql::Transaction& tx) const;
  void seal_again(sql::Transaction& tx, Seal& seal) const;

  std::string pseudorandom_key_;  ///< HKDF's first half, the same for every chain
};

}  // namespace postern::accounts::audit
