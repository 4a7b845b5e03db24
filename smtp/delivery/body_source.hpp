// The bytes of a queued body, in pieces, for whoever sends them on: the SMTP client or the local
// transport.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/result.hpp"
#include "core/task.hpp"
#include "smtp/queue/message.hpp"
#include "storage/body/body_source.hpp"
#include "storage/database.hpp"

namespace postern::smtp::delivery {

using storage::BodySource;
using storage::kBodyChunk;

/// Finds a tenant's data key; implemented where control.db is known.
class KeySource {
 public:
  virtual ~KeySource() = default;
  virtual Task<Result<std::shared_ptr<const storage::DataKey>>> data_key(TenantId tenant) = 0;
};

/// Over the sealed pieces in queue.db, or in memory when the message was handed over with its body.
std::shared_ptr<BodySource> make_body_source(storage::Database& db,
                                             std::shared_ptr<const storage::DataKey> key,
                                             std::shared_ptr<const queue::QueuedMessage> message);

}  // namespace postern::smtp::delivery
