// A body on its way in, for coroutines: collected in memory while it is small, then sealed and
// staged chunk by chunk on the worker threads (CPU and file work leave the io threads here).
//
// Owner: one coroutine; not destroyed while a call runs. Memory: kStageThreshold and a piece,
// whatever the body's size. Errors: Errc::temporary (disk full), overloaded (workers busy), io.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/task.hpp"
#include "core/worker_pool.hpp"
#include "storage/body/body_store.hpp"

namespace postern::storage {

class BodySpool {
 public:
  BodySpool(WorkerPool& workers, BodyWriter writer)
      : workers_(&workers), writer_(std::move(writer)) {}
  Task<Result<void>> append(std::string_view plain);
  /// BodyWriter::finish().
  Task<Result<SealedBody>> finish();
  SealedBody set_head(std::string_view head) { return writer_.set_head(head); }
  [[nodiscard]] const DataKey& key() const { return writer_.key(); }

 private:
  Result<void> write_waiting();
  WorkerPool* workers_;
  BodyWriter writer_;
  std::string waiting_;
};

/// Makes spools: where they stage, and who does their work. One for the process.
class Staging {
 public:
  Staging(WorkerPool& workers, std::string directory)
      : workers_(&workers), directory_(std::move(directory)) {}
  [[nodiscard]] BodySpool spool(std::shared_ptr<const DataKey> key,
                                BodyWriter::Head head = BodyWriter::Head::inside) const {
    return {*workers_, BodyWriter(std::move(key), ObjectId::make(), directory_, head)};
  }

 private:
  WorkerPool* workers_;
  std::string directory_;
};

}  // namespace postern::storage
