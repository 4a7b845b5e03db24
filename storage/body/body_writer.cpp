// BodyWriter: a body that arrives in pieces (body_store.hpp).
#include <stdexcept>

#include "storage/body/piece.hpp"
#include "storage/body/staged_file.hpp"

namespace postern::storage {

struct BodyWriter::Impl {
  Impl(std::shared_ptr<const DataKey> data, ObjectId id, std::string directory, Head where)
      : data_key(std::move(data)),
        key(*data_key, id),
        staging(std::move(directory)),
        head(where),
        number(where == Head::later ? 1 : 0) {
    body.object = id;
    if (where == Head::later) body.pieces.emplace_back();
  }

  std::shared_ptr<const DataKey> data_key;
  BodyKey key;
  std::string staging;
  Head head;
  std::uint32_t number;    ///< of the next piece
  std::string open_piece;  ///< plaintext not sealed yet; a full one waits, it may be the last
  SealedBody body;
  std::shared_ptr<StagedFile> staged;

  Result<void> seal_piece(Position position);
  Result<void> stage();
};

Result<void> BodyWriter::Impl::seal_piece(Position position) {
  if (number == 0) body.head_size = open_piece.size();
  auto sealed = key.seal(number++, position, open_piece);
  open_piece.clear();
  if (!staged && body.size > kStageThreshold) {
    if (auto moved = stage(); !moved) return moved;
  }
  if (staged) return staged->append(sealed);
  body.pieces.push_back(std::move(sealed));
  return {};
}

/// Moves what is in memory to a file, where the rest will follow. The head's place stays in memory.
Result<void> BodyWriter::Impl::stage() {
  auto file = StagedFile::make(staging);
  if (!file) return std::unexpected(file.error());
  staged = std::move(*file);
  const std::size_t first = head == Head::later ? 1 : 0;
  for (std::size_t i = first; i < body.pieces.size(); ++i) {
    if (auto written = staged->append(body.pieces[i]); !written) return written;
  }
  body.pieces.resize(first);
  body.pieces.shrink_to_fit();
  return {};
}

BodyWriter::BodyWriter(std::shared_ptr<const DataKey> key, ObjectId object,
                       std::string staging_directory, Head head)
    : impl_(std::make_unique<Impl>(std::move(key), object, std::move(staging_directory), head)) {}
BodyWriter::~BodyWriter() = default;
BodyWriter::BodyWriter(BodyWriter&&) noexcept = default;
BodyWriter& BodyWriter::operator=(BodyWriter&&) noexcept = default;

std::uint64_t BodyWriter::size() const { return impl_->body.size; }
const DataKey& BodyWriter::key() const { return *impl_->data_key; }

Result<void> BodyWriter::append(std::string_view plain) {
  auto& impl = *impl_;
  while (!plain.empty()) {
    if (impl.open_piece.size() == kPieceSize) {
      if (auto sealed = impl.seal_piece(Position::inner); !sealed) return sealed;
    }
    const auto part = plain.substr(0, kPieceSize - impl.open_piece.size());
    impl.open_piece.append(part);
    impl.body.size += part.size();
    plain.remove_prefix(part.size());
  }
  return {};
}

Result<SealedBody> BodyWriter::finish() {
  auto& impl = *impl_;
  if (impl.head == Head::inside || !impl.open_piece.empty()) {
    if (auto sealed = impl.seal_piece(Position::last); !sealed)
      return std::unexpected(sealed.error());
  }
  impl.body.staged = impl.staged;
  if (impl.head == Head::inside) return std::move(impl.body);
  return impl.body;
}

SealedBody BodyWriter::set_head(std::string_view head) {
  auto& impl = *impl_;
  if (impl.head != Head::later || !impl.body.pieces[0].empty())
    throw std::logic_error("a body has one head");
  const auto position = impl.number == 1 ? Position::last : Position::inner;
  impl.body.pieces[0] = impl.key.seal(0, position, head);
  impl.body.head_size = head.size();
  impl.body.size += head.size();
  return impl.body;
}

}  // namespace postern::storage
