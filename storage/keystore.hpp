// Keys of the server: a master key (from a provider) wraps one data key per tenant and every secret
// kept in a database (DKIM private keys).
//
// The file provider reads 32 bytes in hex from a 0600 file made by `init`. Other providers (a KMS)
// implement MasterKey.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/id.hpp"
#include "core/result.hpp"
#include "storage/data_key.hpp"

namespace postern::storage {

class MasterKey {
 public:
  virtual ~MasterKey() = default;
  /// Sealed so that only this master key and this context open it.
  virtual Result<std::string> wrap(std::string_view context, std::string_view secret) = 0;
  virtual Result<std::string> unwrap(std::string_view context, std::string_view wrapped) = 0;
};

/// Makes the file (0600) with a new random key; Errc::exists when it is there.
Result<void> make_master_key_file(const std::string& path);
/// Errc::denied when others can read the file, Errc::corrupt when it isn't a key.
Result<std::unique_ptr<MasterKey>> open_master_key_file(const std::string& path);

/// Data keys by tenant, unwrapped once and cached. The wrapped form lives in control.db, in the
/// tenant's row; with that row goes the last way to the tenant's bodies. Thread-safe.
class Keystore {
 public:
  explicit Keystore(std::shared_ptr<MasterKey> master);
  ~Keystore();
  /// A new data key for a new tenant, wrapped, for the row that the caller writes.
  Result<std::string> make_wrapped_data_key(TenantId tenant);
  /// Unwraps (or finds in the cache) the key of a tenant whose wrapped form the caller read.
  Result<std::shared_ptr<const DataKey>> data_key(TenantId tenant, std::string_view wrapped);
  /// Already unwrapped earlier, or null.
  std::shared_ptr<const DataKey> cached(TenantId tenant) const;
  /// After a tenant was removed.
  void forget(TenantId tenant);
  MasterKey& master();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace postern::storage
