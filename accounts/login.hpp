// Who logged in, and by what.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "accounts/directory.hpp"
#include "core/id.hpp"

namespace postern::accounts {

enum class Protocol : std::uint8_t { smtp, imap, http };
std::string_view to_string(Protocol protocol);

struct Login {
  Identity identity;        ///< tenant and account
  CredentialId credential;  ///< what was used
  std::string address;      ///< the account's canonical address
  std::uint32_t shard = 0;
};

}  // namespace postern::accounts
