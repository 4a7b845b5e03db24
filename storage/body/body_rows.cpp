// Bodies as rows of `bodies` and `body_pieces` (body_store.hpp).
#include <sqlite3.h>

#include "storage/body/piece.hpp"
#include "storage/body/staged_file.hpp"

namespace postern::storage {

namespace {

/// A staged piece is read when it is written; `room` holds it meanwhile.
std::string_view sealed_piece(const SealedBody& body, std::size_t index, std::string& room) {
  if (!body.staged) return body.pieces.at(index);
  auto piece = body.staged->read(index);
  if (!piece) throw sql::EngineError(SQLITE_IOERR_READ, piece.error().message);
  room = std::move(*piece);
  return room;
}

struct Head {
  std::uint64_t size = 0;
  std::uint32_t piece_count = 0;
  std::string first_piece;
};

enum class FirstPiece : std::uint8_t { read, skip };

Result<Head> read_head(sql::TenantScope& scope, ObjectId object, FirstPiece first) {
  auto row = first == FirstPiece::read ? scope.prepare(
                                             "SELECT size, piece_count, first_piece FROM bodies "
                                             "WHERE tenant_id = :tenant AND object_id = :object")
                                       : scope.prepare(
                                             "SELECT size, piece_count FROM bodies "
                                             "WHERE tenant_id = :tenant AND object_id = :object");
  row.bind(":object", object);
  if (!row.step()) return fail(Errc::not_found, "no such body");
  Head head{
      static_cast<std::uint64_t>(row.integer(0)), static_cast<std::uint32_t>(row.integer(1)), {}};
  if (first == FirstPiece::read) head.first_piece = row.blob(2);
  return head;
}

void read_pieces(sql::TenantScope& scope, ObjectId object, std::uint64_t first, std::uint64_t last,
                 std::vector<std::string>& pieces) {
  auto rows = scope.prepare(
      "SELECT sealed FROM body_pieces WHERE tenant_id = :tenant AND object_id = :object "
      "AND number >= :first AND number <= :last ORDER BY number");
  rows.bind(":object", object).bind(":first", static_cast<std::int64_t>(first));
  rows.bind(":last", static_cast<std::int64_t>(last));
  while (rows.step()) pieces.emplace_back(rows.blob(0));
}

}  // namespace

void put_body(sql::TenantScope& scope, const SealedBody& body) {
  std::string room;
  auto head = scope.prepare(
      "INSERT INTO bodies (tenant_id, object_id, size, sha256, piece_count, first_piece) "
      "VALUES (:tenant, :object, :size, :sha256, :count, :first)");
  head.bind(":object", body.object).bind(":size", static_cast<std::int64_t>(body.size));
  head.bind_blob(":sha256", body.sha256)
      .bind(":count", static_cast<std::int64_t>(body.piece_count()));
  head.bind_blob(":first", sealed_piece(body, 0, room));
  head.run();
  if (body.piece_count() == 1) return;
  auto row = scope.prepare(
      "INSERT INTO body_pieces (tenant_id, object_id, number, sealed) "
      "VALUES (:tenant, :object, :number, :sealed)");
  for (std::size_t i = 1; i < body.piece_count(); ++i) {
    row.bind(":object", body.object).bind(":number", static_cast<std::int64_t>(i));
    row.bind_blob(":sealed", sealed_piece(body, i, room));
    row.run();
  }
}

Result<SealedRange> read_body(sql::TenantScope& scope, ObjectId object, std::uint64_t offset,
                              std::uint64_t length) {
  const auto first = offset / kPieceSize;
  auto head = read_head(scope, object, first == 0 ? FirstPiece::read : FirstPiece::skip);
  if (!head) return std::unexpected(head.error());
  SealedRange range{head->size, static_cast<std::uint32_t>(first), head->piece_count, {}};
  if (length == 0 || offset >= head->size) return range;
  const auto last = (offset + std::min(length, head->size - offset) - 1) / kPieceSize;
  if (first == 0) range.pieces.push_back(std::move(head->first_piece));
  if (last > 0) read_pieces(scope, object, std::max<std::uint64_t>(first, 1), last, range.pieces);
  if (range.pieces.size() != last - first + 1)
    return fail(Errc::corrupt, "a stored body lacks pieces");
  return range;
}

Result<BodyHead> find_body(sql::TenantScope& scope, ObjectId object) {
  auto row = scope.prepare(
      "SELECT size, sha256 FROM bodies WHERE tenant_id = :tenant AND object_id = :object");
  row.bind(":object", object);
  if (!row.step()) return fail(Errc::not_found, "no such body");
  return BodyHead{static_cast<std::uint64_t>(row.integer(0)), std::string(row.blob(1))};
}

void erase_body(sql::TenantScope& scope, ObjectId object) {
  auto pieces =
      scope.prepare("DELETE FROM body_pieces WHERE tenant_id = :tenant AND object_id = :object");
  pieces.bind(":object", object);
  pieces.run();
  auto head = scope.prepare("DELETE FROM bodies WHERE tenant_id = :tenant AND object_id = :object");
  head.bind(":object", object);
  head.run();
}

}  // namespace postern::storage
