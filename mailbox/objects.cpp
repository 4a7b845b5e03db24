#include "mailbox/objects.hpp"

namespace postern::mailbox {

void put_object(sql::TenantScope& scope, const storage::SealedBody& body, std::string_view index) {
  storage::put_body(scope, body);
  scope
      .prepare(
          "INSERT INTO objects (tenant_id, object_id, reference_count, size, dead_since, "
          "parsed_index) VALUES (:tenant, :object, 1, :size, NULL, :index)")
      .bind(":object", body.object)
      .bind(":size", static_cast<std::int64_t>(body.size))
      .bind_blob(":index", index)
      .run();
}

void add_references(sql::TenantScope& scope, ObjectId object, std::int64_t count) {
  scope
      .prepare(
          "UPDATE objects SET reference_count = reference_count + :count, dead_since = NULL "
          "WHERE tenant_id = :tenant AND object_id = :object")
      .bind(":count", count)
      .bind(":object", object)
      .run();
}

void drop_references(sql::TenantScope& scope, ObjectId object, std::int64_t count, Timestamp now) {
  scope
      .prepare(
          "UPDATE objects SET reference_count = reference_count - :count, "
          "dead_since = CASE WHEN reference_count - :count <= 0 THEN :now ELSE NULL END "
          "WHERE tenant_id = :tenant AND object_id = :object")
      .bind(":count", count)
      .bind(":now", now)
      .bind(":object", object)
      .run();
}

std::int64_t sweep_dead_objects(sql::TenantScope& scope, Timestamp older_than, int limit) {
  std::vector<ObjectId> dead;
  {
    auto rows = scope.prepare(
        "SELECT object_id FROM objects WHERE tenant_id = :tenant AND dead_since IS NOT NULL "
        "AND dead_since < :older LIMIT :limit");
    rows.bind(":older", older_than).bind(":limit", limit);
    while (rows.step()) dead.push_back(rows.id<ObjectId>(0));
  }
  for (const ObjectId object : dead) {
    storage::erase_body(scope, object);
    scope.prepare("DELETE FROM objects WHERE tenant_id = :tenant AND object_id = :object")
        .bind(":object", object)
        .run();
  }
  return static_cast<std::int64_t>(dead.size());
}

}  // namespace postern::mailbox
