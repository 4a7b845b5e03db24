// One SQLite connection: how it is opened, its statement cache, and the guard on every statement.
//
// Owned by one thread at a time. It is also the Transaction that closures see: the door begins and
// ends transactions with control(), closures only prepare.
//
// The guard (an authorizer callback plus scope_check.hpp) stands on prepare() and prepare_scoped();
// a statement that breaks a rule is a bug and throws std::logic_error with the reason. execute() is
// the engine's own, unguarded: pragmas and migrations.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/result.hpp"
#include "storage/sql/catalog.hpp"
#include "storage/sql/transaction.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace postern::sql {

/// Statements kept prepared on one connection; a program has a few hundred texts.
inline constexpr std::size_t kStatementCacheLimit = 1024;

/// How long a connection waits for another process's lock.
inline constexpr int kBusyMillis = 5'000;

struct CachedStatement {
  std::string text;
  sqlite3_stmt* handle = nullptr;
  std::vector<std::string> parameters;  ///< their names by number (SQLite moves its own)
  bool scoped = false;
  bool borrowed = false;
  CachedStatement() = default;
  CachedStatement(const CachedStatement&) = delete;
  CachedStatement& operator=(const CachedStatement&) = delete;
  ~CachedStatement();
};

class Connection final : public Transaction {
 public:
  enum class Access : std::uint8_t {
    owner,     ///< reads and writes; makes the file (0600) when it isn't there
    snapshot,  ///< a reader beside the owner; writes are refused
    tool,      ///< opens the file read-only, with or without a server running
  };
  struct Options {
    std::string path;
    Access access = Access::owner;
    std::shared_ptr<const Catalog> catalog;  ///< may come later, by guard_with()
    std::string vfs;                         ///< SQLite's VFS by name; empty: the default
  };
  static Result<std::unique_ptr<Connection>> open(const Options& options);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Statement prepare(std::string_view text) override;
  [[nodiscard]] std::int64_t changes() const override;

  /// Runs a script without the guard. Throws EngineError.
  void execute(const std::string& script);
  /// Prepares without the guard, for the engine's own tables and pragmas.
  Statement prepare_unguarded(std::string_view text);
  void guard_with(std::shared_ptr<const Catalog> catalog) { catalog_ = std::move(catalog); }

  enum class Verb : std::uint8_t {
    begin,
    begin_immediate,
    commit,
    rollback,
    savepoint,
    release,
    rollback_to
  };
  /// SQLite's result code; 0 is success. Not an exception: the door decides what a failure means.
  int control(Verb verb);
  [[nodiscard]] bool in_transaction() const;
  /// Rows changed since the connection was opened.
  [[nodiscard]] std::int64_t total_changes() const;
  /// True when an inner constraint waits for the commit to be checked.
  [[nodiscard]] bool owes_constraints() const;
  /// The last code after which nothing in this transaction can be trusted (FULL, IOERR, NOMEM,
  /// CORRUPT...), or 0; and forget it.
  int take_hard_failure();
  [[nodiscard]] std::string last_error() const;
  [[nodiscard]] sqlite3* handle() const { return db_; }

 protected:
  Statement prepare_scoped(std::string_view text, TenantId tenant) override;

 private:
  friend class Statement;
  enum class Guard : std::uint8_t { off, platform, scoped };
  struct Key {
    const char* data;
    std::size_t size;
    Guard guard;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const noexcept;
  };

  explicit Connection(sqlite3* db);
  Result<void> configure(Access access);
  Statement borrow(std::string_view text, Guard guard);
  std::unique_ptr<CachedStatement> compile(std::string_view text, Guard guard);
  void check_scope(const std::string& text);
  void check_unknown(std::string_view text);
  static int authorize(void* self, int action, const char* a, const char* b, const char* schema,
                       const char* inner);
  int authorize_table(int action, std::string_view table, std::string_view column);
  [[noreturn]] void raise(int code, std::string_view text);
  void note_failure(int code);
  /// Throws when the door's transaction is lost: SQLite may have ended it, and what a closure that
  /// goes on writes would commit by itself, one statement at a time.
  void check_alive(std::string_view text) const;

  sqlite3* db_;
  std::shared_ptr<const Catalog> catalog_;
  std::unordered_map<Key, std::unique_ptr<CachedStatement>, KeyHash> cache_;
  std::array<sqlite3_stmt*, 7> verbs_{};
  int hard_failure_ = 0;
  bool begun_ = false;  ///< the door began a transaction and hasn't ended it

  // While a statement is being compiled:
  Guard guard_ = Guard::off;
  std::string refusal_;
  bool touches_tenant_ = false;
  std::vector<std::string> unknown_;
};

/// After such a code the whole transaction is lost, whatever SQLite kept of it.
bool is_hard_failure(int code);

}  // namespace postern::sql
