#include "storage/job.hpp"

#include <sqlite3.h>

#include "core/log.hpp"

namespace postern::storage {

Errc to_errc(int code) {
  switch (code & 0xff) {
    case SQLITE_CONSTRAINT:
      return code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY
                 ? Errc::exists
                 : Errc::invalid;
    case SQLITE_FULL: return Errc::overloaded;
    case SQLITE_TOOBIG: return Errc::too_large;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return Errc::corrupt;
    case SQLITE_READONLY: return Errc::denied;
    case SQLITE_ERROR:
    case SQLITE_RANGE:
    case SQLITE_MISMATCH: return Errc::corrupt;  // a bug in the text
    default: return Errc::temporary;
  }
}

Result<void> run_guarded(const Job& job, sql::Transaction& tx, const std::string& file) {
  try {
    return job.run(tx);
  } catch (const sql::EngineError& error) {
    return fail(to_errc(error.code()), error.what());
  } catch (const std::exception& error) {
    log::error("storage.closure_threw", {{"file", file}, {"what", error.what()}});
    return fail(Errc::corrupt, error.what());
  }
}

}  // namespace postern::storage
