// Bodies: cut in 64 KiB pieces, each compressed (zstd; or not) and sealed (AES-256-GCM).
//
// Key: HKDF-SHA256(tenant data key, salt "", info "postern body" || object id). Nonce: the piece's
// number. Associated data: tenant, object, number, and whether it is the last; so that pieces can't
// be swapped, dropped or moved to another tenant. A range read opens only the pieces it needs.
// Piece 0 (the head) may have any size: of a message that was sealed as it arrived it is the
// header, which is known in its final form only at the end; the other pieces are kPieceSize each.
//
// Sealing and opening are CPU work without SQL: done before the write and after the read. Small
// bodies lie beside their rows (tables `bodies` and `body_pieces`, body_schema() in schema.hpp, of
// the same file), so that one commit covers both.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/id.hpp"
#include "core/result.hpp"
#include "storage/data_key.hpp"
#include "storage/sql/transaction.hpp"

namespace postern::storage {

inline constexpr std::size_t kPieceSize = 64 * 1024;  ///< plaintext bytes a piece
inline constexpr std::size_t kStageThreshold =
    256 * 1024;  ///< above this a body is staged as it arrives

class StagedFile;

/// How a body is cut. An empty body is one empty piece.
struct BodyLayout {
  std::uint64_t size = 0;       ///< plaintext bytes of the body
  std::uint64_t head_size = 0;  ///< and of piece 0
  [[nodiscard]] std::uint64_t piece_count() const;
  [[nodiscard]] std::uint64_t piece_at(std::uint64_t offset) const;
  [[nodiscard]] std::uint64_t piece_begin(std::uint64_t number) const;
  [[nodiscard]] std::uint64_t piece_size(std::uint64_t number) const;
};

/// Ciphertext of a body, in order: the first pieces in memory, the others in a staging file that
/// lives as long as the last copy of this struct.
struct SealedBody {
  ObjectId object;
  std::uint64_t size = 0;       ///< plaintext bytes
  std::uint64_t head_size = 0;  ///< of piece 0
  std::vector<std::string> pieces;
  std::shared_ptr<const StagedFile> staged;
  [[nodiscard]] BodyLayout layout() const { return {size, head_size}; }
  [[nodiscard]] std::size_t piece_count() const;
  /// Errc::io when a staged piece can't be read.
  [[nodiscard]] Result<std::string> piece(std::size_t number) const;
};

/// Whether the pieces of a body are compressed. Both open alike.
enum class Packing : std::uint8_t {
  zstd,
  none,  ///< for what lives for seconds: compressing 10 KB costs ten times as much as sealing it
};

/// Packs and seals. Pure CPU: about 60 us for 10 KB, 6 without compression. `object` is fresh:
/// sealing two bodies under one id would use a key and nonce twice.
SealedBody seal_body(const DataKey& key, ObjectId object, std::string_view plain,
                     Packing packing = Packing::zstd);

/// Seals a body that arrives in pieces. Above kStageThreshold the ciphertext goes to a file in the
/// staging directory (Store::staging_directory()), so that a body of any size holds one piece in
/// memory. Errc::overloaded when the disk is full. The size limit is the caller's.
class BodyWriter {
 public:
  enum class Head : std::uint8_t {
    inside,  ///< what is appended is the whole body
    later,   ///< what is appended follows a head that set_head() will bring
  };
  BodyWriter(std::shared_ptr<const DataKey> key, ObjectId object, std::string staging_directory,
             Head head = Head::inside);
  ~BodyWriter();  ///< removes what was staged and not taken
  BodyWriter(BodyWriter&&) noexcept;
  BodyWriter& operator=(BodyWriter&&) noexcept;
  Result<void> append(std::string_view plain);
  /// Seals the last piece. With Head::later the body has no head yet (head_size 0, an empty piece
  /// 0): it can be read, not put.
  Result<SealedBody> finish();
  /// After finish(), once (a second head would be sealed under the same key and nonce).
  SealedBody set_head(std::string_view head);
  [[nodiscard]] std::uint64_t size() const;  ///< appended so far
  [[nodiscard]] const DataKey& key() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Writes the head with the first piece as a row of `bodies`, the others as rows of `body_pieces`;
/// of a staged body one piece at a time. May run again with the same body.
void put_body(sql::TenantScope& scope, const SealedBody& body);

/// The sealed pieces that cover [offset, offset + length) as far as the body goes, read inside a
/// transaction (Errc::not_found without such a body; memory: the range and up to two pieces)...
struct SealedRange {
  BodyLayout layout;
  std::uint64_t first_piece = 0;
  std::vector<std::string> pieces;
};
Result<SealedRange> read_body(sql::TenantScope& scope, ObjectId object, std::uint64_t offset,
                              std::uint64_t length);
/// ...and opened after it. Errc::corrupt when a piece doesn't authenticate.
Result<std::string> open_range(const DataKey& key, ObjectId object, const SealedRange& range,
                               std::uint64_t offset, std::uint64_t length);

/// Nothing happens when there is no such body.
void erase_body(sql::TenantScope& scope, ObjectId object);

}  // namespace postern::storage
