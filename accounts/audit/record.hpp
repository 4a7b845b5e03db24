// One record of the audit chain: who did what to what, from where, and how it ended.
//
// Plain values; no storage here. Texts come from users and peers: bounded() makes them storable
// (well-formed UTF-8, no control characters, of limited length), cutting visibly instead of losing
// the act. DETAILS AND EVERY OTHER FIELD MUST BE FREE OF SECRETS (passwords, tokens, keys, message
// content): the writer of a record sees to that, nothing here can.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "accounts/audit/mac.hpp"
#include "core/id.hpp"
#include "core/result.hpp"
#include "core/time.hpp"

namespace postern::accounts::audit {

using AuditId = Id<struct AuditTag>;

inline constexpr std::size_t kMaxAction = 64;      ///< bytes
inline constexpr std::size_t kMaxText = 512;       ///< bytes, of every text field but two
inline constexpr std::size_t kMaxDetails = 8'192;  ///< bytes

// Stored as numbers.
enum class Outcome : std::uint8_t {
  success = 0,
  denied = 1,  ///< not allowed to
  failure = 2,
};
enum class ActorKind : std::uint8_t {
  system = 0,          ///< the server by itself
  operator_local = 1,  ///< whoever may open the management socket
  person = 2,          ///< a person with a login to the administration
  api_key = 3,
  account = 4,  ///< a mailbox's login
};
enum class Door : std::uint8_t { server = 0, management = 1, http = 2, smtp = 3, imap = 4 };

std::string_view to_string(Outcome outcome);
std::string_view to_string(ActorKind kind);
std::string_view to_string(Door door);

struct Record {
  AuditId id = AuditId::make();
  Timestamp at;
  std::string action;  ///< dotted lower case: "domain.create"
  Outcome outcome = Outcome::success;
  ActorKind actor_kind = ActorKind::system;
  std::string actor_id;        ///< stable: an id as text, or empty
  std::string actor;           ///< as people know it: a name, an address
  std::string original_actor;  ///< who really acts, when somebody acts as another; else empty
  Door door = Door::server;
  std::string address;         ///< network address, or empty
  std::string target;          ///< kind:name, "domain:example.org"
  std::string details = "{}";  ///< a JSON object; no secrets
  std::string request_id;
};

/// A record as it stands in a chain.
struct Entry {
  std::uint64_t number = 0;
  Record record;
  std::string mac;  ///< kMacSize bytes
};

/// Two to four words of a-z, 0-9 and _ with dots between, at most kMaxAction bytes.
bool valid_action(std::string_view action);

/// The record as it will be stored. Errc::invalid for the action alone: its names are the program's
/// own.
Result<Record> bounded(Record record);

/// Keys sorted at every depth, no white space: equal objects have equal texts.
std::string canonical(const boost::json::object& object);

/// What a MAC is computed over. Numbers are as wide as the database's, so that no edit of a column
/// is lost in a conversion.
struct RecordView {
  std::int64_t number = 0;
  std::string_view id;
  std::int64_t at = 0;
  std::string_view action;
  std::int64_t outcome = 0;
  std::int64_t actor_kind = 0;
  std::string_view actor_id;
  std::string_view actor;
  std::string_view original_actor;
  std::int64_t door = 0;
  std::string_view address;
  std::string_view target;
  std::string_view details;
  std::string_view request_id;
};
RecordView view_of(const Record& record, std::uint64_t number);

/// HMAC over the previous record's MAC, the chain and every field. `buffer` is scratch space.
std::string record_mac(KeyedMac& key, std::string& buffer, std::string_view previous,
                       TenantId chain, const RecordView& record);

}  // namespace postern::accounts::audit
