// The bytes of a queued body, in pieces, for whoever sends them on: the SMTP client or the local
// transport.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/result.hpp"
#include "core/task.hpp"
#include "smtp/queue/message.hpp"
#include "storage/database.hpp"

namespace postern::smtp::delivery {

inline constexpr std::uint64_t kBodyChunk = 4 * storage::kPieceSize;  ///< plaintext bytes a read

/// Finds a tenant's data key; implemented where control.db is known.
class KeySource {
 public:
  virtual ~KeySource() = default;
  virtual Task<Result<std::shared_ptr<const storage::DataKey>>> data_key(TenantId tenant) = 0;
};

/// Reads a body range by range; nothing is kept but the key. Used by one coroutine at a time.
class BodySource {
 public:
  virtual ~BodySource() = default;
  [[nodiscard]] virtual std::uint64_t size() const = 0;
  /// Up to `length` bytes from `offset`; fewer only at the end. Errc::corrupt, not_found,
  /// temporary.
  virtual Task<Result<std::string>> read(std::uint64_t offset, std::uint64_t length) = 0;
};

/// Over the sealed pieces in queue.db, or in memory when the message was handed over with its body.
std::shared_ptr<BodySource> make_body_source(storage::Database& db,
                                             std::shared_ptr<const storage::DataKey> key,
                                             std::shared_ptr<const queue::QueuedMessage> message);

}  // namespace postern::smtp::delivery
