// Bodies as rows of `bodies` and `body_pieces` (body_store.hpp).
#include <sqlite3.h>

#include "storage/body/piece.hpp"
#include "storage/body/staged_file.hpp"

namespace postern::storage {

namespace {

/// A staged piece is read when it is written; `room` holds it meanwhile.
std::string_view sealed_piece(const SealedBody& body, std::size_t number, std::string& room) {
  if (number < body.pieces.size()) return body.pieces[number];
  auto piece = body.piece(number);
  if (!piece) throw sql::EngineError(SQLITE_IOERR_READ, piece.error().message);
  room = std::move(*piece);
  return room;
}

Result<BodyLayout> read_layout(sql::TenantScope& scope, ObjectId object) {
  auto row = scope.prepare(
      "SELECT size, head_size FROM bodies WHERE tenant_id = :tenant AND object_id = :object");
  row.bind(":object", object);
  if (!row.step()) return fail(Errc::not_found, "no such body");
  BodyLayout layout{static_cast<std::uint64_t>(row.integer(0)),
                    static_cast<std::uint64_t>(row.integer(1))};
  if (layout.head_size > layout.size) return fail(Errc::corrupt, "a body smaller than its head");
  return layout;
}

void read_head(sql::TenantScope& scope, ObjectId object, std::vector<std::string>& pieces) {
  auto row = scope.prepare(
      "SELECT first_piece FROM bodies WHERE tenant_id = :tenant AND object_id = :object");
  row.bind(":object", object);
  if (row.step()) pieces.emplace_back(row.blob(0));
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
      "INSERT INTO bodies (tenant_id, object_id, size, head_size, first_piece) "
      "VALUES (:tenant, :object, :size, :head_size, :first)");
  head.bind(":object", body.object).bind(":size", static_cast<std::int64_t>(body.size));
  head.bind(":head_size", static_cast<std::int64_t>(body.head_size));
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
  const auto layout = read_layout(scope, object);
  if (!layout) return std::unexpected(layout.error());
  SealedRange range{*layout, layout->piece_at(offset), {}};
  if (length == 0 || offset >= layout->size) return range;
  const auto first = range.first_piece;
  const auto last = layout->piece_at(offset + std::min(length, layout->size - offset) - 1);
  if (first == 0) read_head(scope, object, range.pieces);
  if (last > 0) read_pieces(scope, object, std::max<std::uint64_t>(first, 1), last, range.pieces);
  if (range.pieces.size() != last - first + 1)
    return fail(Errc::corrupt, "a stored body lacks pieces");
  return range;
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
