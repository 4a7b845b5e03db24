// A browser with a passkey, for the API's own ceremonies: it takes the options that the server gave
// and answers as navigator.credentials would.
#pragma once

#include <cstdint>
#include <string>

#include "tests/accounts/factors/soft_authenticator.hpp"
#include "tests/security/house.hpp"

namespace postern::test {

class SoftPasskey {
 public:
  /// A passkey that is the same on many devices counts no uses: its counter stays at 0.
  enum class Counter : std::uint8_t { counts, stays };
  explicit SoftPasskey(std::string credential_id, Counter counter = Counter::counts)
      : id_(std::move(credential_id)), counter_(counter) {}

  /// The body of POST /v1/me/passkeys.
  boost::json::object registration(House& house, const Credential& session);
  /// The body of POST /v1/session/passkey, for a person's id as the user handle.
  boost::json::object assertion(House& house, const std::string& user_handle);

  std::string id_;  ///< raw; a test may lie about it

 private:
  std::uint32_t next_use() { return counter_ == Counter::counts ? ++uses_ : 0; }

  accounts::webauthn::test::SoftKey key_{accounts::webauthn::test::KeyKind::p256};
  std::uint32_t uses_ = 0;
  Counter counter_;
};

}  // namespace postern::test
