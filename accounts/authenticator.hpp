// Logins of mail clients: name and password in, an identity out; the same path and the same one
// Argon2 whether or not the account exists.
//
// A success is remembered for some minutes under HMAC-SHA256(per-process key, login, stored hash,
// password), so that a client which reconnects all day doesn't cost an Argon2 each time. The stored
// row is looked at each time (through the registry's generation), so that a changed password, a
// revoked app password, a suspended account or tenant counts at once. Failures are never
// remembered. Each different wrong password, and the first success from a network in a while, is on
// record in the audit trail before it is answered; a trail that takes nothing stops nobody. Owner:
// app; one a process; used from every io thread.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "accounts/audit/chain.hpp"
#include "accounts/directory.hpp"
#include "accounts/login.hpp"
#include "accounts/login_guard.hpp"
#include "accounts/password.hpp"
#include "accounts/registry.hpp"
#include "core/id.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "core/time.hpp"

namespace postern::accounts {

struct AuthenticatorOptions {
  std::chrono::milliseconds cache_ttl = std::chrono::minutes(5);
  std::size_t cache_entries = 10'000;
  std::chrono::milliseconds last_used_interval =
      std::chrono::minutes(5);  ///< a use is written at most this often
  LoginLimits limits;
  /// Where logins go on record (login_trail.hpp); without it none does.
  const audit::Chain* trail = nullptr;
  /// A success of a name from a network is recorded at most this often.
  Micros trail_interval = std::chrono::hours(24);
};

class Authenticator {
 public:
  Authenticator(Registry& registry, PasswordPool& passwords, Clock& clock,
                AuthenticatorOptions options);
  ~Authenticator();

  /// Errc::denied: wrong (nothing says which part). Errc::overloaded, temporary, io: try again
  /// later; the client must hear a temporary failure, not a wrong password. Errc::too_large: who
  /// guessed too often (login_guard.hpp) hears it, right or wrong this time, at no Argon2.
  Task<Result<Login>> verify(std::string login, std::string password, asio::ip::address remote,
                             Protocol protocol);

  /// Whether that login still stands: the account, its tenant and the credential are as they were.
  /// For sessions that live long (IMAP IDLE).
  Task<Result<bool>> still_valid(Login login);

  [[nodiscard]] std::size_t cached() const;  ///< remembered successes
  /// The counts behind that, for other doors than mail's.
  [[nodiscard]] LoginGuard& guard();
  [[nodiscard]] std::vector<LoginGuard::Block> blocks() const;
  /// Ends the blocks of a login name or a network; how many there were.
  std::size_t unblock(std::string_view login_or_network);

 private:
  struct Impl;
  struct Steps;
  std::shared_ptr<Impl> impl_;
};

}  // namespace postern::accounts
