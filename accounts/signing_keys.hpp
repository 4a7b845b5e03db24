// DKIM keys per domain. The private key is opaque PEM here, wrapped by the server's master key and
// bound to tenant, domain and selector; making keys and signing is dkim's. Tenant table.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "accounts/tenants.hpp"
#include "core/id.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "storage/keystore.hpp"
#include "storage/sql/transaction.hpp"

namespace postern::accounts {

using SigningKeyId = Id<struct SigningKeyTag>;

/// RFC 8301, RFC 8463.
enum class SigningAlgorithm : std::uint8_t { rsa_sha256 = 0, ed25519_sha256 = 1 };
std::string_view to_string(SigningAlgorithm algorithm);  ///< "rsa-sha256", "ed25519-sha256"

struct SigningKey {
  SigningKeyId id;
  std::string domain;
  std::string selector;  ///< "p2026a"; with the domain: SELECTOR._domainkey.DOMAIN
  SigningAlgorithm algorithm = SigningAlgorithm::rsa_sha256;
  std::string wrapped_private_key;
  std::string public_record;       ///< the TXT record's text, as it is published
  Status status = Status::active;  ///< suspended: still published, no longer signing
  Timestamp created;
};

/// Seals a private key (PEM) for its row. Do it before the transaction.
Result<std::string> wrap_private_key(storage::MasterKey& master, TenantId tenant,
                                     std::string_view domain, std::string_view selector,
                                     std::string_view pem);
Result<std::string> unwrap_private_key(storage::MasterKey& master, TenantId tenant,
                                       const SigningKey& key);

/// Errc::not_found (domain), Errc::exists (selector), Errc::invalid (selector: LDH labels).
Result<void> add_signing_key(sql::TenantScope& scope, const SigningKey& key);
/// Of one domain, oldest first, at most 32.
std::vector<SigningKey> list_signing_keys(sql::TenantScope& scope, std::string_view domain);
Result<void> set_signing_key_status(sql::TenantScope& scope, std::string_view domain,
                                    std::string_view selector, Status status);
Result<void> remove_signing_key(sql::TenantScope& scope, std::string_view domain,
                                std::string_view selector);

}  // namespace postern::accounts
