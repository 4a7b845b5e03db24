#include "smtp/delivery/body_source.hpp"

#include <algorithm>

namespace postern::smtp::delivery {

namespace {
using storage::kPieceSize;

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

class FreshBody final : public BodySource {
 public:
  FreshBody(std::shared_ptr<const storage::DataKey> key,
            std::shared_ptr<const storage::SealedBody> body)
      : key_(std::move(key)), body_(std::move(body)) {}

  [[nodiscard]] std::uint64_t size() const override { return body_->size; }

  Task<Result<std::string>> read(std::uint64_t offset, std::uint64_t length) override {
    if (offset >= body_->size) co_return std::string();
    length = std::min(length, body_->size - offset);
    storage::SealedRange range;
    range.body_size = body_->size;
    range.first_piece = static_cast<std::uint32_t>(offset / kPieceSize);
    range.piece_count = static_cast<std::uint32_t>(body_->pieces.size());
    const std::size_t last =
        std::min<std::size_t>((offset + length - 1) / kPieceSize, body_->pieces.size() - 1);
    for (std::size_t i = range.first_piece; i <= last; ++i)
      range.pieces.push_back(body_->pieces[i]);
    co_return storage::open_range(*key_, body_->object, range, offset, length);
  }

 private:
  std::shared_ptr<const storage::DataKey> key_;
  std::shared_ptr<const storage::SealedBody> body_;
};
}  // namespace

std::shared_ptr<BodySource> make_body_source(storage::Database& db,
                                             std::shared_ptr<const storage::DataKey> key,
                                             std::shared_ptr<const queue::QueuedMessage> message) {
  if (message->body) return std::make_shared<FreshBody>(std::move(key), message->body);
  const auto& envelope = message->envelope;
  return std::make_shared<StoredBody>(db, std::move(key), envelope.tenant, envelope.body,
                                      envelope.size);
}

}  // namespace postern::smtp::delivery
