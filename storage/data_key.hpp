// A tenant's data key, under which everything of its mail is sealed.
#pragma once

#include <string>
#include <string_view>

#include "core/id.hpp"

namespace postern::storage {

/// Unwrapped; comes from the keystore (keystore.hpp), and is wiped when it goes.
class DataKey {
 public:
  /// `key`: 32 bytes.
  DataKey(TenantId tenant, std::string_view key);
  ~DataKey();
  DataKey(const DataKey&) = delete;
  DataKey& operator=(const DataKey&) = delete;

  /// The 32 bytes for one use, by HKDF-SHA-256 (RFC 5869) with `use` as its info. The caller wipes
  /// them.
  [[nodiscard]] std::string derive(std::string_view use) const;

  const TenantId tenant;

 private:
  std::string pseudorandom_key_;  ///< HKDF's first half, the same for every use
};

}  // namespace postern::storage
