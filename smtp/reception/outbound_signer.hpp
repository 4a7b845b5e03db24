// DKIM signatures for mail of a tenant's domain, with its keys kept parsed.
//
// Owner: the reception backend; used from every io thread. The cache is keyed by the key's id, so a
// new key is a new entry; it is bounded, and emptied when it is full.
#pragma once

#include <mutex>
#include <string>
#include <unordered_map>

#include "accounts/directory.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "core/time.hpp"
#include "dkim/sign/signer.hpp"

namespace postern::smtp::reception {

class OutboundSigner {
 public:
  OutboundSigner(accounts::Directory& directory, Clock& clock)
      : directory_(&directory), clock_(&clock) {}

  /// The DKIM-Signature fields for a message, each with its CRLF; empty for a domain without keys.
  /// `body_hash`: dkim::BodyHash of what follows the header.
  Task<Result<std::string>> sign(TenantId tenant, std::string domain, std::string header,
                                 std::string body_hash);

  /// The same in the server's own name: by the nearest hosted domain at or above `domain`,
  /// whichever tenant's that is; empty when none is hosted. The caller answers for the From field.
  Task<Result<std::string>> sign_for_server(std::string domain, std::string header,
                                            std::string body_hash);

 private:
  Result<dkim::SigningKey> parsed(const accounts::PreparedKey& key);

  accounts::Directory* directory_;
  Clock* clock_;
  std::mutex mutex_;
  std::unordered_map<accounts::SigningKeyId, dkim::SigningKey> keys_;
};

}  // namespace postern::smtp::reception
