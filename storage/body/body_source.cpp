#include "storage/body/body_source.hpp"

#include <algorithm>

namespace postern::storage {

namespace {

class PlainSource final : public BodySource {
 public:
  explicit PlainSource(std::string bytes) : bytes_(std::move(bytes)) {}
  [[nodiscard]] std::uint64_t size() const override { return bytes_.size(); }
  Task<Result<std::string>> read(std::uint64_t offset, std::uint64_t length) override {
    if (offset >= bytes_.size()) co_return std::string();
    co_return bytes_.substr(static_cast<std::size_t>(offset), static_cast<std::size_t>(length));
  }
  [[nodiscard]] std::optional<std::string_view> in_memory() const override { return bytes_; }

 private:
  std::string bytes_;
};

class SealedSource final : public BodySource {
 public:
  SealedSource(std::shared_ptr<const DataKey> key, std::shared_ptr<const SealedBody> body)
      : key_(std::move(key)), body_(std::move(body)) {}
  [[nodiscard]] std::uint64_t size() const override { return body_->size; }
  Task<Result<std::string>> read(std::uint64_t offset, std::uint64_t length) override {
    if (length == 0 || offset >= body_->size) co_return std::string();
    const auto layout = body_->layout();
    SealedRange range{layout, layout.piece_at(offset), {}};
    const auto last = layout.piece_at(offset + std::min(length, body_->size - offset) - 1);
    for (auto number = range.first_piece; number <= last; ++number) {
      auto piece = body_->piece(static_cast<std::size_t>(number));
      if (!piece) co_return std::unexpected(piece.error());
      range.pieces.push_back(std::move(*piece));
    }
    co_return open_range(*key_, body_->object, range, offset, length);
  }

 private:
  std::shared_ptr<const DataKey> key_;
  std::shared_ptr<const SealedBody> body_;
};

class SourceFrom final : public BodySource {
 public:
  SourceFrom(BodySourcePtr whole, std::uint64_t offset)
      : whole_(std::move(whole)), offset_(std::min(offset, whole_->size())) {}
  [[nodiscard]] std::uint64_t size() const override { return whole_->size() - offset_; }
  Task<Result<std::string>> read(std::uint64_t offset, std::uint64_t length) override {
    return whole_->read(offset_ + std::min(offset, size()), length);
  }
  [[nodiscard]] std::optional<std::string_view> in_memory() const override {
    return whole_->in_memory().transform(
        [this](std::string_view bytes) { return bytes.substr(static_cast<std::size_t>(offset_)); });
  }

 private:
  BodySourcePtr whole_;
  std::uint64_t offset_;
};

}  // namespace

BodySourcePtr plain_source(std::string bytes) {
  return std::make_shared<PlainSource>(std::move(bytes));
}

BodySourcePtr sealed_source(std::shared_ptr<const DataKey> key,
                            std::shared_ptr<const SealedBody> body) {
  return std::make_shared<SealedSource>(std::move(key), std::move(body));
}

BodySourcePtr source_from(BodySourcePtr whole, std::uint64_t offset) {
  return std::make_shared<SourceFrom>(std::move(whole), offset);
}

Task<Result<std::string>> read_all(BodySourcePtr source) {
  std::string bytes;
  bytes.reserve(static_cast<std::size_t>(source->size()));
  while (bytes.size() < source->size()) {
    auto piece = co_await source->read(bytes.size(), kBodyChunk);
    if (!piece) co_return std::unexpected(piece.error());
    if (piece->empty()) co_return fail(Errc::corrupt, "a body is shorter than its size");
    bytes += *piece;
  }
  co_return bytes;
}

}  // namespace postern::storage
