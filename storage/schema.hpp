// The schemas that storage itself owns, for the lists of `Database::Options` and `Store::Options`.
// `Store::open` adds them where they belong; whoever opens a single Database adds them itself.
//
//   body_schema()    mail and queue files: tenant tables `bodies`, `body_pieces` (body_store.hpp)
//   outbox_schema()  any kind of file: platform table `outbox` (outbox.hpp)
//   meta_schema()    control.db: platform table `store_meta(name, value)`: what was fixed at
//   creation
#pragma once

#include "storage/sql/migration.hpp"

namespace postern::storage {

sql::Schema body_schema();
sql::Schema outbox_schema();
sql::Schema meta_schema();

}  // namespace postern::storage
