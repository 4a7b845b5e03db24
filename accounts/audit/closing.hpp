// What is left of a tenant's chain when the tenant is erased: how far it went, said in the
// platform's chain and signed when there is a key to sign with.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "accounts/audit/ed25519.hpp"
#include "accounts/audit/record.hpp"

namespace postern::accounts::audit {

// The records that chains make of themselves.
inline constexpr std::string_view kChainOpened = "audit.chain_opened";  ///< in the platform's chain
inline constexpr std::string_view kChainClosed = "audit.chain_closed";  ///< in the platform's chain
inline constexpr std::string_view kCutAction = "audit.cut";
inline constexpr std::string_view kResumed = "audit.resumed";

/// "platform", or the tenant's id: a chain as people and receivers read it.
inline constexpr std::string_view kPlatformName = "platform";
std::string chain_name(TenantId chain);

/// "tenant:ID": the target of a record about a chain, and back.
std::string chain_target(TenantId chain);
std::optional<TenantId> chain_of_target(std::string_view target);

struct Closing {
  TenantId chain;
  std::uint64_t last = 0;   ///< number of the newest record
  std::string mac;          ///< of the newest record
  std::uint64_t count = 0;  ///< records removed at closing
  Timestamp at;
  std::string key;        ///< fingerprint of the signing key, or empty
  std::string signature;  ///< 64 raw bytes, or empty
};

void sign_closing(Closing& closing, const WitnessKey& key);
bool verify_closing(const Closing& closing, const PublicKey& key);

/// As details of a record, and back. Errc::corrupt.
std::string closing_details(const Closing& closing);
Result<Closing> parse_closing(std::string_view details);

}  // namespace postern::accounts::audit
