// Sealing whole bodies and opening ranges: body_store.hpp without SQL.
#include <fmt/format.h>

#include "core/crypto.hpp"
#include "storage/body/piece.hpp"
#include "storage/body/staged_file.hpp"

namespace postern::storage {

std::size_t SealedBody::piece_count() const { return staged ? staged->count() : pieces.size(); }

SealedBody seal_body(const DataKey& key, ObjectId object, std::string_view plain) {
  SealedBody body{object, plain.size(), crypto::sha256(plain), {}, {}};
  const BodyKey body_key(key, object);
  const auto count = piece_count_of(plain.size());
  for (std::uint64_t number = 0; number < count; ++number) {
    const auto position = number + 1 == count ? Position::last : Position::inner;
    const auto piece = plain.substr(number * kPieceSize, kPieceSize);
    body.pieces.push_back(body_key.seal(static_cast<std::uint32_t>(number), position, piece));
  }
  return body;
}

namespace {

Result<void> check_range(const SealedRange& range, std::uint64_t offset) {
  const bool fits = range.piece_count == piece_count_of(range.body_size) &&
                    range.first_piece + std::uint64_t{range.pieces.size()} <= range.piece_count &&
                    offset / kPieceSize == range.first_piece;
  if (fits) return {};
  return fail(Errc::corrupt, "the pieces of a body don't fit its size");
}

}  // namespace

Result<std::string> open_range(const DataKey& key, ObjectId object, const SealedRange& range,
                               std::uint64_t offset, std::uint64_t length) {
  std::string plain;
  if (range.pieces.empty() && (length == 0 || offset >= range.body_size)) return plain;
  if (auto good = check_range(range, offset); !good) return std::unexpected(good.error());
  const BodyKey body_key(key, object);
  for (std::size_t i = 0; i < range.pieces.size(); ++i) {
    const auto number = static_cast<std::uint32_t>(range.first_piece + i);
    const auto position = number + 1 == range.piece_count ? Position::last : Position::inner;
    auto piece =
        body_key.open(number, position, range.pieces[i], piece_size_of(range.body_size, number));
    if (!piece) return piece;
    plain += *piece;
  }
  const auto skip = offset - std::uint64_t{range.first_piece} * kPieceSize;
  if (skip >= plain.size()) return std::string{};
  plain.erase(0, static_cast<std::size_t>(skip));
  if (plain.size() > length) plain.resize(static_cast<std::size_t>(length));
  const auto wanted = std::min(length, range.body_size - std::min(offset, range.body_size));
  if (plain.size() < wanted) return fail(Errc::corrupt, "a body's range lacks pieces");
  return plain;
}

}  // namespace postern::storage
