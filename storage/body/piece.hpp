// One piece of a body: plaintext to ciphertext and back. Internal to storage/body.
//
// Plaintext of the AEAD: one byte for the form (0 raw, 1 zstd), then the bytes in that form.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "storage/body/body_store.hpp"

namespace postern::storage {

enum class Position : std::uint8_t { inner = 0, last = 1 };

/// The key of one body; wiped when it goes.
class BodyKey {
 public:
  BodyKey(const DataKey& key, ObjectId object);
  ~BodyKey();
  BodyKey(const BodyKey&) = delete;
  BodyKey& operator=(const BodyKey&) = delete;

  [[nodiscard]] std::string seal(std::uint32_t number, Position position, std::string_view plain,
                                 Packing packing = Packing::zstd) const;
  /// Errc::corrupt when it doesn't authenticate or isn't `size` bytes of plaintext.
  [[nodiscard]] Result<std::string> open(std::uint32_t number, Position position,
                                         std::string_view sealed, std::size_t size) const;

 private:
  [[nodiscard]] std::string associated_data(std::uint32_t number, Position position) const;
  TenantId tenant_;
  ObjectId object_;
  std::string key_;
};

}  // namespace postern::storage
