// A body on its way in, for coroutines: collected in memory while it is small, then sealed and
// staged chunk by chunk on the worker threads (CPU and file work leave the io threads here).
//
// Owner: one coroutine; not destroyed while a call runs. Memory: kStageThreshold and a piece,
// whatever the body's size. Errors: Errc::overloaded (workers busy, disk full or below its
// reserve), io.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/task.hpp"
#include "core/worker_pool.hpp"
#include "storage/body/body_store.hpp"

namespace postern::storage {

class BodySpool {
 public:
  /// `below_reserve` may be empty; while it says true nothing more is staged.
  BodySpool(WorkerPool& workers, BodyWriter writer, std::function<bool()> below_reserve)
      : workers_(&workers), writer_(std::move(writer)), below_reserve_(std::move(below_reserve)) {}
  Task<Result<void>> append(std::string_view plain);
  /// BodyWriter::finish().
  Task<Result<SealedBody>> finish();
  SealedBody set_head(std::string_view head) { return writer_.set_head(head); }
  [[nodiscard]] const DataKey& key() const { return writer_.key(); }

 private:
  Result<void> write_waiting();
  WorkerPool* workers_;
  BodyWriter writer_;
  std::function<bool()> below_reserve_;
  std::string waiting_;
};

/// Makes spools: where they stage, and who does their work. One for the process.
class Staging {
 public:
  Staging(WorkerPool& workers, std::string directory, std::function<bool()> below_reserve = {})
      : workers_(&workers),
        directory_(std::move(directory)),
        below_reserve_(std::move(below_reserve)) {}
  [[nodiscard]] BodySpool spool(std::shared_ptr<const DataKey> key,
                                BodyWriter::Head head = BodyWriter::Head::inside) const {
    return {*workers_, BodyWriter(std::move(key), ObjectId::make(), directory_, head),
            below_reserve_};
  }

 private:
  WorkerPool* workers_;
  std::string directory_;
  std::function<bool()> below_reserve_;
};

}  // namespace postern::storage
