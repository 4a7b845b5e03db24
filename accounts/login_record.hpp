// What the database says of a login, before any password is looked at.
#pragma once

#include <optional>
#include <string>

#include "accounts/authenticator.hpp"
#include "accounts/names.hpp"
#include "storage/sql/transaction.hpp"

namespace postern::accounts {

struct LoginRecord {
  enum class State : std::uint8_t {
    unknown,    ///< no such account or credential
    suspended,  ///< there, but its tenant or account is switched off
    usable,
  };
  State state = State::unknown;
  Login login;
  std::string hash;
  std::optional<Timestamp> last_used;
};

/// `selector`: of an app password; the account's own password without one.
LoginRecord read_login(sql::Transaction& tx, const Address& address,
                       const std::optional<std::string>& selector);

/// Whether the credential is unrevoked and everything above it active.
bool read_still_valid(sql::Transaction& tx, const Login& login);

}  // namespace postern::accounts
