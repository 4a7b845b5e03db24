// The tenant in whose name the server itself writes to people. Its row is made when it is first
// needed, and again when somebody removed it; its data key seals that mail while it waits.
//
// Nobody else can take its name (tenants.hpp). Owner: app; one a process; used from every io
// thread. Registry, keystore and clock outlive it.
#pragma once

#include <cstdint>

#include "accounts/generation_cache.hpp"
#include "accounts/registry.hpp"
#include "core/id.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "core/time.hpp"
#include "storage/keystore.hpp"

namespace postern::accounts {

class PlatformTenant {
 public:
  /// `mail_shards`: how many there are, as for every new tenant.
  PlatformTenant(Registry& registry, storage::Keystore& keystore, Clock& clock,
                 std::uint32_t mail_shards)
      : registry_(&registry), keystore_(&keystore), clock_(&clock), mail_shards_(mail_shards) {}

  /// Errors are those of the database and of the master key.
  Task<Result<TenantId>> id();

 private:
  Task<Result<TenantId>> find();
  Task<Result<TenantId>> make();

  Registry* registry_;
  storage::Keystore* keystore_;
  Clock* clock_;
  std::uint32_t mail_shards_;
  GenerationCache<const TenantId> known_{1};
};

}  // namespace postern::accounts
