// The plaintext of a body, read range by range, wherever it lies: in memory, sealed beside us, in a
// staging file. (Over rows of a database: smtp/delivery/body_source.hpp.)
//
// Used by one coroutine at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "core/task.hpp"
#include "storage/body/body_store.hpp"

namespace postern::storage {

inline constexpr std::uint64_t kBodyChunk = 4 * kPieceSize;  ///< plaintext bytes of a usual read

class BodySource {
 public:
  virtual ~BodySource() = default;
  BodySource() = default;
  BodySource(const BodySource&) = delete;
  BodySource& operator=(const BodySource&) = delete;
  [[nodiscard]] virtual std::uint64_t size() const = 0;
  /// Up to `length` bytes from `offset`; fewer only at the end. Errc::corrupt, not_found,
  /// temporary.
  virtual Task<Result<std::string>> read(std::uint64_t offset, std::uint64_t length) = 0;
  /// All of it where it lies in memory, for as long as the source lives.
  [[nodiscard]] virtual std::optional<std::string_view> in_memory() const { return std::nullopt; }
};
using BodySourcePtr = std::shared_ptr<BodySource>;

BodySourcePtr plain_source(std::string bytes);
BodySourcePtr sealed_source(std::shared_ptr<const DataKey> key,
                            std::shared_ptr<const SealedBody> body);
/// What follows `offset` in another one.
BodySourcePtr source_from(BodySourcePtr whole, std::uint64_t offset);

/// All of it. For small ones.
Task<Result<std::string>> read_all(BodySourcePtr source);

}  // namespace postern::storage
