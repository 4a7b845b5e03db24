#include <fmt/format.h>
#include <sqlite3.h>

#include <bit>
#include <stdexcept>

#include "storage/sql/statement_impl.hpp"

namespace postern::sql {

namespace {

/// SQLite takes a null pointer for NULL, and an empty view may hold one.
const char* data_or_empty(std::string_view value) {
  return value.data() != nullptr ? value.data() : "";
}

void check(int code, sqlite3_stmt* statement) {
  if (code != SQLITE_OK) throw EngineError(code, sqlite3_errmsg(sqlite3_db_handle(statement)));
}

}  // namespace

Statement::Impl::~Impl() {
  if (entry == nullptr) return;
  sqlite3_reset(entry->handle);
  sqlite3_clear_bindings(entry->handle);
  entry->borrowed = false;
}

void Statement::Impl::reset() {
  if (!started) return;
  sqlite3_reset(entry->handle);
  started = false;
  finished = false;
}

void Statement::Impl::mark_bound(int index) { bound |= std::uint64_t{1} << (index - 1); }

void Statement::Impl::check_bound() const {
  const auto& known = entry->parameters;
  if (std::popcount(bound) == static_cast<int>(known.size())) return;
  for (std::size_t i = 0; i < known.size(); ++i) {
    if ((bound >> i & 1) == 0) {
      throw std::logic_error(
          fmt::format("SQL parameter {} was never bound in: {}", known[i], entry->text));
    }
  }
}

int Statement::Impl::find(std::string_view name) {
  if (entry->scoped && name == ":tenant") {
    throw std::logic_error("the scope alone binds :tenant, in: " + entry->text);
  }
  const auto& known = entry->parameters;
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (name != known[i]) continue;
    reset();
    const int index = static_cast<int>(i) + 1;
    mark_bound(index);
    return index;
  }
  throw std::logic_error(fmt::format("no SQL parameter {} in: {}", name, entry->text));
}

Statement::Statement(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Statement::Statement(Statement&&) noexcept = default;
Statement& Statement::operator=(Statement&&) noexcept = default;
Statement::~Statement() = default;

Statement& Statement::bind(std::string_view name, std::int64_t value) {
  const int index = impl_->find(name);
  check(sqlite3_bind_int64(impl_->entry->handle, index, value), impl_->entry->handle);
  return *this;
}

Statement& Statement::bind_text(std::string_view name, std::string_view value) {
  const int index = impl_->find(name);
  check(sqlite3_bind_text64(impl_->entry->handle, index, data_or_empty(value), value.size(),
                            SQLITE_TRANSIENT, SQLITE_UTF8),
        impl_->entry->handle);
  return *this;
}

Statement& Statement::bind_blob(std::string_view name, std::string_view value) {
  const int index = impl_->find(name);
  check(sqlite3_bind_blob64(impl_->entry->handle, index, data_or_empty(value), value.size(),
                            SQLITE_TRANSIENT),
        impl_->entry->handle);
  return *this;
}

Statement& Statement::bind_null(std::string_view name) {
  const int index = impl_->find(name);
  check(sqlite3_bind_null(impl_->entry->handle, index), impl_->entry->handle);
  return *this;
}

bool Statement::step() {
  auto& impl = *impl_;
  if (impl.finished) return false;
  impl.connection->check_alive(impl.entry->text);
  if (!impl.started) impl.check_bound();
  impl.started = true;
  const int code = sqlite3_step(impl.entry->handle);
  if (code == SQLITE_ROW) return true;
  impl.finished = true;
  if (code == SQLITE_DONE) return false;
  impl.connection->raise(code, impl.entry->text);
}

void Statement::run() {
  // A second run() with the same values is a second execution.
  if (impl_->finished) impl_->reset();
  while (step()) {
  }
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(impl_->entry->handle, column);
}

std::string_view Statement::text(int column) const {
  const auto* data = sqlite3_column_text(impl_->entry->handle, column);
  if (data == nullptr) return {};
  const auto size = sqlite3_column_bytes(impl_->entry->handle, column);
  return {reinterpret_cast<const char*>(data), static_cast<std::size_t>(size)};
}

std::string_view Statement::blob(int column) const {
  const auto* data = sqlite3_column_blob(impl_->entry->handle, column);
  if (data == nullptr) return {};
  const auto size = sqlite3_column_bytes(impl_->entry->handle, column);
  return {static_cast<const char*>(data), static_cast<std::size_t>(size)};
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(impl_->entry->handle, column) == SQLITE_NULL;
}

}  // namespace postern::sql
