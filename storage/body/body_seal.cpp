// Sealing whole bodies and opening ranges: body_store.hpp without SQL.
#include <algorithm>

#include "storage/body/piece.hpp"
#include "storage/body/staged_file.hpp"

namespace postern::storage {

namespace {
constexpr std::uint64_t kMaxHeadSize = 64ULL << 20;  // what a damaged row may make us allocate
}

std::uint64_t BodyLayout::piece_count() const {
  return 1 + (size - head_size + kPieceSize - 1) / kPieceSize;
}

std::uint64_t BodyLayout::piece_at(std::uint64_t offset) const {
  return offset < head_size ? 0 : 1 + (offset - head_size) / kPieceSize;
}

std::uint64_t BodyLayout::piece_begin(std::uint64_t number) const {
  return number == 0 ? 0 : head_size + (number - 1) * kPieceSize;
}

std::uint64_t BodyLayout::piece_size(std::uint64_t number) const {
  return number == 0 ? head_size : std::min<std::uint64_t>(kPieceSize, size - piece_begin(number));
}

std::size_t SealedBody::piece_count() const {
  return pieces.size() + (staged ? staged->count() : 0);
}

Result<std::string> SealedBody::piece(std::size_t number) const {
  if (number < pieces.size()) return pieces[number];
  return staged->read(number - pieces.size());
}

SealedBody seal_body(const DataKey& key, ObjectId object, std::string_view plain, Packing packing) {
  SealedBody body{object, plain.size(), std::min(plain.size(), kPieceSize), {}, {}};
  const BodyKey body_key(key, object);
  const auto layout = body.layout();
  const auto count = layout.piece_count();
  for (std::uint64_t number = 0; number < count; ++number) {
    const auto position = number + 1 == count ? Position::last : Position::inner;
    const auto piece = plain.substr(layout.piece_begin(number), layout.piece_size(number));
    body.pieces.push_back(
        body_key.seal(static_cast<std::uint32_t>(number), position, piece, packing));
  }
  return body;
}

Result<std::string> open_range(const DataKey& key, ObjectId object, const SealedRange& range,
                               std::uint64_t offset, std::uint64_t length) {
  const auto& layout = range.layout;
  std::string plain;
  if (length == 0 || offset >= layout.size) return plain;
  const auto count = layout.piece_count();
  const bool fits = layout.head_size <= std::min(layout.size, kMaxHeadSize) &&
                    range.first_piece + range.pieces.size() <= count &&
                    layout.piece_at(offset) == range.first_piece;
  if (!fits) return fail(Errc::corrupt, "the pieces of a body don't fit its size");
  const BodyKey body_key(key, object);
  for (std::size_t i = 0; i < range.pieces.size(); ++i) {
    const auto number = range.first_piece + i;
    const auto position = number + 1 == count ? Position::last : Position::inner;
    auto piece = body_key.open(static_cast<std::uint32_t>(number), position, range.pieces[i],
                               static_cast<std::size_t>(layout.piece_size(number)));
    if (!piece) return piece;
    plain += *piece;
  }
  const auto skip = offset - layout.piece_begin(range.first_piece);
  const auto wanted = std::min(length, layout.size - offset);
  if (plain.size() < skip + wanted) return fail(Errc::corrupt, "a body's range lacks pieces");
  return plain.substr(static_cast<std::size_t>(skip), static_cast<std::size_t>(wanted));
}

}  // namespace postern::storage
