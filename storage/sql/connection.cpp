#include "storage/sql/connection.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <mutex>

#include "storage/sql/statement_impl.hpp"

namespace postern::sql {

namespace {

/// SQLite counts its memory under one global mutex unless told not to; once, before its first use.
void prepare_library() {
  static std::once_flag once;
  std::call_once(once, [] { sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); });
}

/// -wal and -shm files take their mode from the database, so only the first is made here.
Result<void> make_private_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return fail(Errc::io, fmt::format("cannot make {}: errno {}", path, errno));
  ::close(fd);
  return {};
}

int open_flags(Connection::Access access) {
  const int mode =
      access == Connection::Access::tool ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  return mode | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
}

/// An uncompressed page cache of this size a connection; a negative number is KiB to SQLite.
constexpr std::string_view kOwnerPragmas = R"sql(
PRAGMA page_size = 8192;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA wal_autocheckpoint = 0;
PRAGMA journal_size_limit = 67108864;
PRAGMA secure_delete = OFF;
PRAGMA foreign_keys = ON;
PRAGMA cache_size = -16384;
)sql";

// No memory map: with one, an I/O error is a SIGBUS and not an answer.
constexpr std::string_view kCommonPragmas = R"sql(
PRAGMA trusted_schema = OFF;
PRAGMA cell_size_check = ON;
PRAGMA automatic_index = OFF;
PRAGMA temp_store = MEMORY;
PRAGMA mmap_size = 0;
)sql";

constexpr std::string_view kReaderPragmas = R"sql(
PRAGMA query_only = ON;
PRAGMA cache_size = -8192;
)sql";

}  // namespace

bool is_hard_failure(int code) {
  switch (code & 0xff) {
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_NOMEM:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PROTOCOL:
    case SQLITE_INTERNAL:
    case SQLITE_MISUSE: return true;
    default: return false;
  }
}

CachedStatement::~CachedStatement() { sqlite3_finalize(handle); }

std::size_t Connection::KeyHash::operator()(const Key& key) const noexcept {
  return std::hash<const void*>{}(key.data) ^ (key.size << 4) ^ static_cast<std::size_t>(key.guard);
}

Connection::Connection(sqlite3* db) : db_(db) {
  sqlite3_busy_timeout(db_, kBusyMillis);
  sqlite3_set_authorizer(db_, &Connection::authorize, this);
  sqlite3_db_config(db_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  // A double-quoted word is an identifier and never, by a typing error, a string.
  sqlite3_db_config(db_, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
}

Connection::~Connection() {
  for (auto* verb : verbs_) sqlite3_finalize(verb);
  cache_.clear();
  sqlite3_close_v2(db_);
}

Result<std::unique_ptr<Connection>> Connection::open(const Options& options) {
  prepare_library();
  if (options.access == Access::owner) {
    if (auto made = make_private_file(options.path); !made) return std::unexpected(made.error());
  }
  sqlite3* db = nullptr;
  const char* vfs = options.vfs.empty() ? nullptr : options.vfs.c_str();
  const int code = sqlite3_open_v2(options.path.c_str(), &db, open_flags(options.access), vfs);
  if (code != SQLITE_OK) {
    auto error =
        fail(Errc::io, fmt::format("cannot open {}: {}", options.path, sqlite3_errstr(code)));
    sqlite3_close_v2(db);
    return error;
  }
  std::unique_ptr<Connection> connection(new Connection(db));
  connection->catalog_ = options.catalog;
  if (auto done = connection->configure(options.access); !done) {
    return fail(done.error().code, fmt::format("{}: {}", options.path, done.error().message));
  }
  return connection;
}

Result<void> Connection::configure(Access access) {
  try {
    if (access == Access::owner) {
      execute(std::string(kOwnerPragmas));
      auto mode = prepare_unguarded("PRAGMA journal_mode");
      if (!mode.step() || mode.text(0) != "wal") {
        return fail(Errc::unsupported, "the file system doesn't allow SQLite's WAL mode");
      }
    } else {
      execute(std::string(kReaderPragmas));
    }
    execute(std::string(kCommonPragmas));
    return {};
  } catch (const EngineError& error) {
    return fail(Errc::io, error.what());
  }
}

std::int64_t Connection::changes() const { return sqlite3_changes64(db_); }

std::int64_t Connection::total_changes() const { return sqlite3_total_changes64(db_); }

bool Connection::in_transaction() const { return sqlite3_get_autocommit(db_) == 0; }

bool Connection::owes_constraints() const {
  int current = 0;
  int highest = 0;
  sqlite3_db_status(db_, SQLITE_DBSTATUS_DEFERRED_FKS, &current, &highest, 0);
  return current != 0;
}

std::string Connection::last_error() const { return sqlite3_errmsg(db_); }

int Connection::take_hard_failure() { return std::exchange(hard_failure_, 0); }

void Connection::note_failure(int code) {
  if (is_hard_failure(code) || (begun_ && !in_transaction())) hard_failure_ = code;
}

void Connection::check_alive(std::string_view text) const {
  if (!begun_ || hard_failure_ == 0) return;
  throw EngineError(hard_failure_,
                    fmt::format("the transaction was lost before: {}", text.substr(0, 160)));
}

void Connection::raise(int code, std::string_view text) {
  note_failure(code);
  const auto message =
      fmt::format("{} (code {}) in: {}", sqlite3_errmsg(db_), code, text.substr(0, 160));
  if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY ||
      code == SQLITE_CONSTRAINT_ROWID) {
    throw UniqueViolation(code, message);
  }
  throw EngineError(code, message);
}

void Connection::execute(const std::string& script) {
  const int code = sqlite3_exec(db_, script.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) raise(code, script);
}

int Connection::control(Verb verb) {
  static constexpr std::array<std::string_view, 7> kTexts = {
      "BEGIN",       "BEGIN IMMEDIATE", "COMMIT",       "ROLLBACK",
      "SAVEPOINT c", "RELEASE c",       "ROLLBACK TO c"};
  const auto index = static_cast<std::size_t>(verb);
  auto*& statement = verbs_[index];
  if (statement == nullptr) {
    const int code =
        sqlite3_prepare_v3(db_, kTexts[index].data(), static_cast<int>(kTexts[index].size()),
                           SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) return code;
  }
  sqlite3_step(statement);
  const int code = sqlite3_reset(statement);
  if (verb == Verb::begin || verb == Verb::begin_immediate) begun_ = code == SQLITE_OK;
  if (verb == Verb::commit || verb == Verb::rollback) begun_ = in_transaction();
  return code;
}

}  // namespace postern::sql
