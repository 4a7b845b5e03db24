#include "storage/keystore.hpp"

#include <mutex>
#include <unordered_map>

#include "core/crypto.hpp"
#include "core/random.hpp"

namespace postern::storage {

namespace {

/// Unwrapped keys kept at once; beyond, some other tenant's is dropped and unwrapped again when
/// needed.
constexpr std::size_t kCacheLimit = 50'000;

std::string context_of(TenantId tenant) { return "tenant data key " + tenant.text(); }

}  // namespace

struct Keystore::Impl {
  struct Entry {
    std::string wrapped;
    std::shared_ptr<const DataKey> key;
  };
  std::shared_ptr<MasterKey> master;
  mutable std::mutex mutex;
  std::unordered_map<TenantId, Entry> cache;
};

Keystore::Keystore(std::shared_ptr<MasterKey> master) : impl_(std::make_unique<Impl>()) {
  impl_->master = std::move(master);
}
Keystore::~Keystore() = default;

MasterKey& Keystore::master() { return *impl_->master; }

Result<std::string> Keystore::make_wrapped_data_key(TenantId tenant) {
  auto key = random_bytes(crypto::kKeySize);
  auto wrapped = impl_->master->wrap(context_of(tenant), key);
  crypto::wipe(key);
  return wrapped;
}

Result<std::shared_ptr<const DataKey>> Keystore::data_key(TenantId tenant,
                                                          std::string_view wrapped) {
  {
    std::scoped_lock lock(impl_->mutex);
    const auto found = impl_->cache.find(tenant);
    if (found != impl_->cache.end() && found->second.wrapped == wrapped) return found->second.key;
  }
  // Outside the lock: a provider may ask over the network.
  auto raw = impl_->master->unwrap(context_of(tenant), wrapped);
  if (!raw) return std::unexpected(raw.error());
  if (raw->size() != crypto::kKeySize)
    return fail(Errc::corrupt, "a tenant's data key has the wrong size");
  auto key = std::make_shared<const DataKey>(tenant, *raw);
  crypto::wipe(*raw);
  std::scoped_lock lock(impl_->mutex);
  if (impl_->cache.size() >= kCacheLimit) impl_->cache.erase(impl_->cache.begin());
  impl_->cache[tenant] = {std::string(wrapped), key};
  return key;
}

std::shared_ptr<const DataKey> Keystore::cached(TenantId tenant) const {
  std::scoped_lock lock(impl_->mutex);
  const auto found = impl_->cache.find(tenant);
  return found != impl_->cache.end() ? found->second.key : nullptr;
}

void Keystore::forget(TenantId tenant) {
  std::scoped_lock lock(impl_->mutex);
  impl_->cache.erase(tenant);
}

}  // namespace postern::storage
