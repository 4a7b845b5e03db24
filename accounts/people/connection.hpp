// Connections: leave that a tenant gives to somebody who is no member (an agency's person, or an
// operator's) to act in it, for a reason, for a time, and until it is revoked. Tenant table, with a
// twin row in the platform table `connections_by_grantee`.
//
// It is given to an email address, whether or not there is a person of that address: so it tells
// nobody who is there. A person who comes later and proves the address has it. Whoever lets people
// in without such proof asks has_connections first.
//
// Partial: that is asked when the account is made. One that was made before the connection was
// given (a break-glass account, or a newcomer's whose sign-in link was shown to the operator who
// added them) has it as well, though nobody proved the address: whoever has the password or the
// link can tell that it was given, and act by it.
//
// The grantee acts with these permissions and nothing of what they have elsewhere. Ended ones are
// listed for kEndedKept, then they go when another is added; audit keeps what was done.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "accounts/access/permission.hpp"
#include "core/id.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "storage/sql/transaction.hpp"

namespace postern::accounts {

inline constexpr std::size_t kMaxConnections =
    100;                                        ///< of one tenant: running ones, and ended ones
inline constexpr std::size_t kMaxReason = 500;  ///< octets; at least one
inline constexpr std::chrono::hours kMaxConnectionTime{24 * 90};
inline constexpr std::chrono::hours kEndedKept{24 * 90};

struct Connection {
  ConnectionId id;
  std::string grantee;  ///< an email address, canonical
  PermissionSet permissions;
  std::string reason;
  std::string granted_by;  ///< for people to read, as the caller gave it
  Timestamp created;
  Timestamp expires;
  std::optional<Timestamp> revoked;

  [[nodiscard]] bool runs(Timestamp now) const { return !revoked && now < expires; }
};

/// Errc::invalid (grantee in no form that parse_address takes, permissions, reason, a time that is
/// past or longer than kMaxConnectionTime), Errc::too_large (kMaxConnections). `revoked` is not
/// taken.
Result<Connection> add_connection(sql::TenantScope& scope, const Connection& fresh);
Result<Connection> find_connection(sql::TenantScope& scope, ConnectionId id);
/// In order of id (oldest first), those after `after` (nil: from the start); ended ones with them.
std::vector<Connection> list_connections(sql::TenantScope& scope, ConnectionId after,
                                         std::size_t limit);
/// What the person of that canonical address may act by now: Errc::not_found when it is somebody
/// else's, Errc::denied when it has ended.
Result<Connection> open_connection(sql::TenantScope& scope, ConnectionId id,
                                   std::string_view grantee, Timestamp now);
/// Errc::not_found when there is none such unrevoked.
Result<void> revoke_connection(sql::TenantScope& scope, ConnectionId id, Timestamp now);

/// Where the connections of a canonical address are, ended ones with them.
struct ConnectionPlace {
  TenantId tenant;
  ConnectionId id;
};
std::vector<ConnectionPlace> list_connections_of(sql::Transaction& tx, std::string_view grantee,
                                                 const ConnectionPlace& after, std::size_t limit);
/// Whether any are there for an address in any form.
bool has_connections(sql::Transaction& tx, std::string_view email);
/// All of them, for a person who goes.
void remove_connections_of(sql::Transaction& tx, std::string_view grantee);

}  // namespace postern::accounts
