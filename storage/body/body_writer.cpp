// BodyWriter: a body that arrives in pieces (body_store.hpp).
#include "core/crypto.hpp"
#include "storage/body/piece.hpp"
#include "storage/body/staged_file.hpp"

namespace postern::storage {

struct BodyWriter::Impl {
  Impl(const DataKey& data_key, ObjectId id, std::string directory)
      : key(data_key, id), object(id), staging(std::move(directory)) {}

  BodyKey key;
  ObjectId object;
  std::string staging;
  std::uint64_t size = 0;
  std::uint32_t number = 0;
  std::string open_piece;  ///< plaintext not sealed yet; a full one waits, it may be the last
  crypto::Sha256 hash;
  std::vector<std::string> pieces;
  std::shared_ptr<StagedFile> staged;

  Result<void> seal_piece(Position position);
  Result<void> stage();
};

Result<void> BodyWriter::Impl::seal_piece(Position position) {
  auto sealed = key.seal(number++, position, open_piece);
  open_piece.clear();
  if (!staged && size > kStageThreshold) {
    if (auto moved = stage(); !moved) return moved;
  }
  if (staged) return staged->append(sealed);
  pieces.push_back(std::move(sealed));
  return {};
}

/// Moves what is in memory to a file, where the rest will follow.
Result<void> BodyWriter::Impl::stage() {
  auto file = StagedFile::make(staging);
  if (!file) return std::unexpected(file.error());
  staged = std::move(*file);
  for (const auto& piece : pieces) {
    if (auto written = staged->append(piece); !written) return written;
  }
  pieces.clear();
  pieces.shrink_to_fit();
  return {};
}

BodyWriter::BodyWriter(std::shared_ptr<const DataKey> key, ObjectId object,
                       std::string staging_directory)
    : impl_(std::make_unique<Impl>(*key, object, std::move(staging_directory))) {}
BodyWriter::~BodyWriter() = default;
BodyWriter::BodyWriter(BodyWriter&&) noexcept = default;
BodyWriter& BodyWriter::operator=(BodyWriter&&) noexcept = default;

std::uint64_t BodyWriter::size() const { return impl_->size; }

Result<void> BodyWriter::append(std::string_view plain) {
  auto& impl = *impl_;
  impl.hash.update(plain);
  while (!plain.empty()) {
    if (impl.open_piece.size() == kPieceSize) {
      if (auto sealed = impl.seal_piece(Position::inner); !sealed) return sealed;
    }
    const auto part = plain.substr(0, kPieceSize - impl.open_piece.size());
    impl.open_piece.append(part);
    impl.size += part.size();
    plain.remove_prefix(part.size());
  }
  return {};
}

Result<SealedBody> BodyWriter::finish() {
  auto& impl = *impl_;
  if (auto sealed = impl.seal_piece(Position::last); !sealed)
    return std::unexpected(sealed.error());
  return SealedBody{impl.object, impl.size, impl.hash.finish(), std::move(impl.pieces),
                    impl.staged};
}

}  // namespace postern::storage
