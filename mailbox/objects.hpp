// Stored bodies with their reference counts. A body without references is kept for a while (views
// may still show the expunged message), then swept.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/id.hpp"
#include "core/time.hpp"
#include "storage/body/body_store.hpp"
#include "storage/sql/transaction.hpp"

namespace postern::mailbox {

/// Writes body and row, with one reference: the message that the caller places in the same
/// transaction.
void put_object(sql::TenantScope& scope, const storage::SealedBody& body, std::string_view index);
/// Also brings a dead object back.
void add_references(sql::TenantScope& scope, ObjectId object, std::int64_t count);
/// At zero the object is dead since `now`.
void drop_references(sql::TenantScope& scope, ObjectId object, std::int64_t count, Timestamp now);

/// Erases objects that are dead since before `older_than`, at most `limit`. Tombstones that still
/// name them no longer lead to a body. Returns how many were erased.
std::int64_t sweep_dead_objects(sql::TenantScope& scope, Timestamp older_than, int limit);

}  // namespace postern::mailbox
