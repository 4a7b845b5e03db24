// Logins, wrong passwords and those shut out for guessing, as audit records.
//
// An account's are in its tenant's chain; those of names that nobody has, and of whole networks, in
// the platform's. What was guessed is never part of a record. Untrusted: the name, until somebody
// logged in with it (the chain makes every text storable).
#pragma once

#include <boost/asio/ip/address.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "accounts/audit/chain.hpp"
#include "accounts/login.hpp"
#include "accounts/login_guard.hpp"
#include "accounts/registry.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "core/time.hpp"
#include "storage/sql/transaction.hpp"

namespace postern::accounts {

/// One attempt, as far as a record of it needs to know. A plain value, for closures.
struct LoginAttempt {
  std::string name;            ///< as it was given; canonical when it is an address
  std::optional<Login> login;  ///< whose name it is
  asio::ip::address remote;
  Protocol protocol = Protocol::smtp;
  Timestamp at;
};

enum class LastUse : std::uint8_t { known, noted };

/// "login.attempt" of an account, if there is a trail, and the credential's last use, if it is to
/// be noted; in one commit.
Task<Result<void>> record_success(Registry& registry, const audit::Chain* trail,
                                  LoginAttempt attempt, LastUse use);
/// "login.attempt" that was refused, and the blocks that began with it. `why`: a literal.
Task<Result<void>> record_denial(Registry& registry, const audit::Chain& trail,
                                 LoginAttempt attempt, LoginGuard::Guess guess,
                                 audit::Outcome outcome, std::string_view why);
/// "login.block" for each block that a guess began.
Result<void> enter_blocks(sql::Transaction& tx, const audit::Chain& trail,
                          const LoginAttempt& attempt, const LoginGuard::Guess& guess);

}  // namespace postern::accounts
