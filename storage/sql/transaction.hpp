// The one SQL interface of the repositories: text in the common subset of SQLite and PostgreSQL,
// parameters by name, rows by column index.
//
// Inside a transaction everything is synchronous. Engine errors (disk full, constraint, busy, bugs
// in the text) are `sql::EngineError` exceptions: a closure lets them pass, the door (database.hpp)
// turns them into a Result. A unique-constraint violation is its own type, so that a closure may
// answer it.
//
// Platform tables only are reached this way. A tenant's tables are reached through a TenantScope
// (below); the engine refuses text that names a tenant table outside one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "core/id.hpp"
#include "core/time.hpp"

namespace postern::sql {

class EngineError : public std::runtime_error {
 public:
  EngineError(int code, const std::string& text) : std::runtime_error(text), code_(code) {}
  [[nodiscard]] int code() const { return code_; }  ///< SQLite's extended result code

 private:
  int code_;
};

class UniqueViolation : public EngineError {
  using EngineError::EngineError;
};

class Connection;

/// A prepared statement, borrowed from the connection's cache for one use; reset when it dies.
/// Views from text() and blob() live until the next step() or the statement's end.
class Statement {
 public:
  Statement(Statement&&) noexcept;
  Statement& operator=(Statement&&) noexcept;
  ~Statement();

  /// `name` as in the text, with its colon: bind(":name", value). Unknown names throw (a bug).
  Statement& bind(std::string_view name, std::int64_t value);
  Statement& bind(std::string_view name, int value) { return bind(name, std::int64_t{value}); }
  Statement& bind(std::string_view name, std::uint32_t value) {
    return bind(name, std::int64_t{value});
  }
  Statement& bind(std::string_view name, bool value) {
    return bind(name, std::int64_t{value ? 1 : 0});
  }
  Statement& bind(std::string_view name, Timestamp value) { return bind(name, to_micros(value)); }
  Statement& bind_text(std::string_view name, std::string_view value);  ///< copied
  Statement& bind_blob(std::string_view name, std::string_view value);  ///< copied
  Statement& bind_null(std::string_view name);
  template <class Tag>
  Statement& bind(std::string_view name, const Id<Tag>& id) {
    return bind_blob(name, id.view());
  }

  /// True while there is a row.
  bool step();
  /// Runs to the end; for statements without rows.
  void run();

  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] std::string_view text(int column) const;
  [[nodiscard]] std::string_view blob(int column) const;
  [[nodiscard]] bool is_null(int column) const;
  [[nodiscard]] Timestamp time(int column) const { return from_micros(integer(column)); }
  template <class IdType>
  [[nodiscard]] IdType id(int column) const {
    auto raw = uuid_from_bytes(blob(column));
    return IdType{raw.value_or(Uuid{})};
  }

 private:
  friend class Connection;
  struct Impl;
  explicit Statement(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// A transaction that the door opened. Closures get a reference; they never begin or commit.
class Transaction {
 public:
  virtual ~Transaction() = default;
  /// `text` must be a string literal or otherwise outlive the connection: it is the cache's key.
  virtual Statement prepare(std::string_view text) = 0;
  /// Rows changed by the last INSERT, UPDATE or DELETE.
  [[nodiscard]] virtual std::int64_t changes() const = 0;

 protected:
  friend class TenantScope;
  /// For TenantScope: allows tenant tables, checks the query plan at first prepare, binds :tenant.
  virtual Statement prepare_scoped(std::string_view text, TenantId tenant) = 0;
};

/// The only way to a tenant's tables. Every statement must reach each tenant table by
/// `tenant_id = :tenant` (a SEARCH in the query plan), or it is refused at first prepare; the scope
/// binds :tenant itself. Repositories of tenant tables are functions or classes that take one.
class TenantScope {
 public:
  TenantScope(Transaction& tx, TenantId tenant) : tx_(&tx), tenant_(tenant) {}
  Statement prepare(std::string_view text) { return tx_->prepare_scoped(text, tenant_); }
  [[nodiscard]] std::int64_t changes() const { return tx_->changes(); }
  [[nodiscard]] TenantId tenant() const { return tenant_; }
  [[nodiscard]] Transaction& transaction() { return *tx_; }

 private:
  Transaction* tx_;
  TenantId tenant_;
};

}  // namespace postern::sql
