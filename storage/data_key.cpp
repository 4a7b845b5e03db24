#include "storage/data_key.hpp"

#include "core/crypto.hpp"

namespace postern::storage {

DataKey::DataKey(TenantId whose, std::string_view key)
    : tenant(whose), pseudorandom_key_(crypto::hkdf_extract(key, {})) {}

DataKey::~DataKey() { crypto::wipe(pseudorandom_key_); }

std::string DataKey::derive(std::string_view use) const {
  return crypto::hkdf_expand(pseudorandom_key_, use, crypto::kKeySize);
}

}  // namespace postern::storage
