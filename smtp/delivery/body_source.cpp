#include "smtp/delivery/body_source.hpp"

#include <algorithm>

namespace postern::smtp::delivery {

namespace {
class StoredBody final : public BodySource {
 public:
  StoredBody(storage::Database& db, std::shared_ptr<const storage::DataKey> key, TenantId tenant,
             ObjectId object, std::uint64_t size)
      : db_(&db), key_(std::move(key)), tenant_(tenant), object_(object), size_(size) {}

  [[nodiscard]] std::uint64_t size() const override { return size_; }

  Task<Result<std::string>> read(std::uint64_t offset, std::uint64_t length) override {
    if (offset >= size_) co_return std::string();
    length = std::min(length, size_ - offset);
    storage::Database::Closure<storage::SealedRange> closure =
        [tenant = tenant_, object = object_, offset, length](sql::Transaction& tx) {
          sql::TenantScope scope(tx, tenant);
          return storage::read_body(scope, object, offset, length);
        };
    auto range = co_await db_->read<storage::SealedRange>(std::move(closure));
    if (!range) co_return std::unexpected(std::move(range.error()));
    co_return storage::open_range(*key_, object_, *range, offset, length);
  }

 private:
  storage::Database* db_;
  std::shared_ptr<const storage::DataKey> key_;
  TenantId tenant_;
  ObjectId object_;
  std::uint64_t size_;
};

}  // namespace

std::shared_ptr<BodySource> make_body_source(storage::Database& db,
                                             std::shared_ptr<const storage::DataKey> key,
                                             std::shared_ptr<const queue::QueuedMessage> message) {
  if (message->body) return storage::sealed_source(std::move(key), message->body);
  const auto& envelope = message->envelope;
  return std::make_shared<StoredBody>(db, std::move(key), envelope.tenant, envelope.body,
                                      envelope.size);
}

}  // namespace postern::smtp::delivery
