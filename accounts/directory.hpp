// Look-ups on the hot path: whose address is this, may this account send as that, which keys sign.
//
// Answers come from a bounded cache (least recently used goes first) that belongs to one generation
// of the registry: after any change it starts empty. Answers are immutable and shared. Addresses
// and domains given here are untrusted text. Owner: app; one a process; used from every io thread.
// The registry and keystore outlive it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "accounts/domains.hpp"
#include "accounts/names.hpp"
#include "accounts/registry.hpp"
#include "accounts/resolve.hpp"
#include "accounts/signing_keys.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "storage/keystore.hpp"

namespace postern::accounts {

/// Who a session speaks for: part of a Login (authenticator.hpp).
struct Identity {
  TenantId tenant;
  AccountId account;
};

/// A key ready for the signer, which caches its parsed form by `id`.
struct PreparedKey {
  SigningKeyId id;
  std::string domain;
  std::string selector;
  SigningAlgorithm algorithm = SigningAlgorithm::rsa_sha256;
  std::string private_key_pem;
};

struct DirectoryOptions {
  std::size_t cache_entries = 20'000;
};

class Directory {
 public:
  Directory(Registry& registry, storage::Keystore& keystore, DirectoryOptions options);
  ~Directory();

  /// In this order: an account; an alias; the same without "+tag"; postmaster and abuse (RFC 5321
  /// §4.5.1, RFC 2142) to the tenant's owner, whatever is suspended; the catch-all. Errors are only
  /// those of the database (temporary for the peer); an address that can't be parsed is
  /// Errc::invalid.
  Task<Result<std::shared_ptr<const Resolution>>> resolve_recipient(std::string address);

  /// Null when the domain isn't hosted here (or isn't a domain).
  Task<Result<std::shared_ptr<const Domain>>> domain(std::string name);
  Task<Result<bool>> is_local_domain(std::string name);

  /// Own address and its sub-addresses, aliases that lead to the account, postmaster and abuse for
  /// the owner, and domains granted to it; within its tenant and while all of them are active.
  Task<Result<bool>> may_send_as(Identity who, std::string from_address);

  /// Errc::not_found.
  Task<Result<std::shared_ptr<const Tenant>>> tenant(TenantId id);
  /// The tenant's data key, for sealing and opening bodies.
  Task<Result<std::shared_ptr<const storage::DataKey>>> data_key(TenantId id);
  /// Active keys of a domain, or of the nearest parent domain of the same tenant that has some.
  Task<Result<std::shared_ptr<const std::vector<PreparedKey>>>> signing_keys(TenantId tenant,
                                                                             std::string domain);

  [[nodiscard]] std::size_t cached() const;  ///< entries now, for tests and metrics

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace postern::accounts
