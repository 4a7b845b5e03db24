// Where a chain begins and ends, and the seal over the ends of all chains.
//
// A head is a row under a MAC of its own, so the newest records can't be removed by winding it
// back. An old head put back whole together with the records of its day would still be genuine; so
// the seal keeps the exclusive or of all heads' MACs, under a MAC too: one chain alone can't go
// back. (All of them together with the seal can: that shows only against a witness, witness.hpp.)
//
// An append reads both and goes on only from genuine ones (Errc::corrupt otherwise): a false head
// that were written again would become a true one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "accounts/audit/mac.hpp"
#include "core/id.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "storage/sql/transaction.hpp"

namespace postern::accounts::audit {

/// What the first record of a chain follows.
std::string no_mac();

/// As wide as the column: anything but 0 is closed, and the MAC sees which.
enum class Closed : std::int64_t { no = 0, yes = 1 };

struct Head {
  std::int64_t next_number = 1;
  std::string mac = no_mac();      ///< of the newest record
  std::int64_t first_number = 1;   ///< of the oldest record that is kept
  std::string cut_mac = no_mac();  ///< of the newest record that retention removed
  Closed closed = Closed::no;
  std::string head_mac;  ///< as stored
};

struct Seal {
  std::int64_t sequence = 0;  ///< counts appends, so that no two seals are alike
  std::string heads = no_mac();
  std::string mac;  ///< as stored
};

std::string head_mac(KeyedMac& key, TenantId chain, const Head& head);
std::string seal_mac(KeyedMac& key, const Seal& seal);
/// Adds a head's MAC to the seal, or takes it away.
void toggle(std::string& heads, std::string_view mac);

std::optional<Head> read_head(sql::TenantScope& scope);
std::optional<Seal> read_seal(sql::Transaction& tx);
/// The same, held for a change until the transaction ends.
std::optional<Head> hold_head(sql::TenantScope& scope);
std::optional<Seal> hold_seal(sql::Transaction& tx);
/// Both compute the row's MAC, into the value too.
void insert_head(sql::TenantScope& scope, KeyedMac& key, Head& head);
void write_head(sql::TenantScope& scope, KeyedMac& key, Head& head);
/// Inserts the row when `seal.sequence` is 0; counts it up.
void write_seal(sql::Transaction& tx, KeyedMac& key, Seal& seal);

/// The list of chains, the platform's (nil) among them once it has a record.
bool is_listed(sql::Transaction& tx, TenantId chain);
void list_chain(sql::Transaction& tx, TenantId chain, Timestamp now);
std::vector<TenantId> listed_chains(sql::Transaction& tx);

}  // namespace postern::accounts::audit
