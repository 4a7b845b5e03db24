#include "storage/body/body_spool.hpp"

namespace postern::storage {

Result<void> BodySpool::write_waiting() {
  const std::string bytes = std::exchange(waiting_, {});
  return writer_.append(bytes);
}

Task<Result<void>> BodySpool::append(std::string_view plain) {
  waiting_ += plain;
  if (waiting_.size() < kStageThreshold) co_return Result<void>{};
  if (below_reserve_ && below_reserve_()) {
    co_return fail(Errc::overloaded, "the disk is below its reserve");
  }
  co_return co_await workers_->run<void>([this] { return write_waiting(); });
}

Task<Result<SealedBody>> BodySpool::finish() {
  const auto end = [this]() -> Result<SealedBody> {
    if (auto written = write_waiting(); !written) return std::unexpected(written.error());
    return writer_.finish();
  };
  if (writer_.size() == 0) co_return end();  // small: not worth a change of threads
  co_return co_await workers_->run<SealedBody>(end);
}

}  // namespace postern::storage
