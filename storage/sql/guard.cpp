// Connection's statement cache and the guard on what enters it.
#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>

#include "storage/sql/scope_check.hpp"
#include "storage/sql/statement_impl.hpp"

namespace postern::sql {

namespace {

std::string_view view(const char* text) { return text != nullptr ? text : ""; }

/// SQLite asks the authorizer about most other statements, but not about VACUUM and EXPLAIN.
bool begins_like_rows(const std::vector<Token>& tokens) {
  static constexpr std::string_view kFirstWords[] = {"select", "with",    "insert", "update",
                                                     "delete", "replace", "values"};
  return !tokens.empty() &&
         std::ranges::any_of(kFirstWords, [&](auto word) { return tokens[0].is(word); });
}

std::logic_error refused(std::string_view why, std::string_view text) {
  return std::logic_error(fmt::format("SQL refused: {}; in: {}", why, text));
}

constexpr int kMaxParameters = 64;  // one bit each in Statement::Impl::bound

void list_parameters(CachedStatement& statement) {
  const int count = sqlite3_bind_parameter_count(statement.handle);
  if (count > kMaxParameters) throw refused("too many parameters", statement.text);
  for (int i = 1; i <= count; ++i) {
    statement.parameters.emplace_back(view(sqlite3_bind_parameter_name(statement.handle, i)));
  }
}

}  // namespace

Statement Connection::prepare(std::string_view text) { return borrow(text, Guard::platform); }

Statement Connection::prepare_unguarded(std::string_view text) { return borrow(text, Guard::off); }

Statement Connection::prepare_scoped(std::string_view text, TenantId tenant) {
  auto statement = borrow(text, Guard::scoped);
  auto& impl = *statement.impl_;
  const auto& known = impl.entry->parameters;
  if (const auto at = std::ranges::find(known, ":tenant"); at != known.end()) {
    const int index = static_cast<int>(at - known.begin()) + 1;
    const auto raw = tenant.view();
    const int code =
        sqlite3_bind_blob64(impl.entry->handle, index, raw.data(), raw.size(), SQLITE_TRANSIENT);
    if (code != SQLITE_OK) raise(code, text);
    impl.mark_bound(index);
  }
  return statement;
}

Statement Connection::borrow(std::string_view text, Guard guard) {
  const Key key{text.data(), text.size(), guard};
  auto found = cache_.find(key);
  // The key is an address: another text may have come to live there.
  if (found != cache_.end() && found->second->text != text && !found->second->borrowed) {
    cache_.erase(found);
    found = cache_.end();
  }
  auto impl = std::make_unique<Statement::Impl>();
  impl->connection = this;
  if (found != cache_.end() && found->second->text == text && !found->second->borrowed) {
    impl->entry = found->second.get();
  } else {
    auto fresh = compile(text, guard);
    impl->entry = fresh.get();
    const bool taken = found != cache_.end();
    // Full of texts that were built at run time: begin again, but for those in use.
    if (cache_.size() >= kStatementCacheLimit) {
      std::erase_if(cache_, [](const auto& kept) { return !kept.second->borrowed; });
    }
    if (!taken) {
      cache_.emplace(key, std::move(fresh));
    } else {
      impl->own = std::move(fresh);
    }
  }
  impl->entry->borrowed = true;
  return Statement(std::move(impl));
}

std::unique_ptr<CachedStatement> Connection::compile(std::string_view text, Guard guard) {
  if (guard != Guard::off && !catalog_) throw refused("the connection knows no tables yet", text);
  if (guard != Guard::off && !begins_like_rows(tokenize(text))) {
    throw refused("closures only read and change rows", text);
  }
  auto fresh = std::make_unique<CachedStatement>();
  fresh->text = std::string(text);
  fresh->scoped = guard == Guard::scoped;
  guard_ = guard;
  refusal_.clear();
  touches_tenant_ = false;
  unknown_.clear();
  sqlite3_stmt* handle = nullptr;
  const char* tail = nullptr;
  const int code = sqlite3_prepare_v3(db_, text.data(), static_cast<int>(text.size()),
                                      SQLITE_PREPARE_PERSISTENT, &handle, &tail);
  fresh->handle = handle;
  guard_ = Guard::off;
  if (!refusal_.empty()) throw refused(refusal_, text);
  if (code != SQLITE_OK) raise(code, text);
  if (handle == nullptr || !tokenize({tail, text.data() + text.size()}).empty()) {
    throw refused("exactly one statement is prepared at a time", text);
  }
  list_parameters(*fresh);
  check_unknown(text);
  if (guard == Guard::scoped && touches_tenant_) check_scope(fresh->text);
  return fresh;
}

void Connection::check_unknown(std::string_view text) {
  for (const auto& name : unknown_) {
    const int code = sqlite3_table_column_metadata(db_, nullptr, name.c_str(), nullptr, nullptr,
                                                   nullptr, nullptr, nullptr, nullptr);
    if (code == SQLITE_OK)
      throw refused(fmt::format("no Schema declares the table {}", name), text);
  }
}

void Connection::check_scope(const std::string& text) {
  const auto tokens = tokenize(text);
  const auto mentions = find_mentions(tokens, *catalog_);
  if (auto why = check_scoped_text(tokens, mentions, *catalog_)) throw refused(*why, text);
  CachedStatement explain;
  const auto question = "EXPLAIN QUERY PLAN " + text;
  const int code = sqlite3_prepare_v2(db_, question.c_str(), -1, &explain.handle, nullptr);
  if (code != SQLITE_OK) raise(code, question);
  std::vector<PlanRow> plan;
  while (sqlite3_step(explain.handle) == SQLITE_ROW) {
    const auto* detail = reinterpret_cast<const char*>(sqlite3_column_text(explain.handle, 3));
    plan.push_back({sqlite3_column_int(explain.handle, 0), sqlite3_column_int(explain.handle, 1),
                    std::string(view(detail))});
  }
  if (auto why = check_plan(plan, mentions)) throw refused(*why, text);
}

int Connection::authorize(void* self, int action, const char* a, const char* b, const char*,
                          const char*) {
  auto& me = *static_cast<Connection*>(self);
  if (me.guard_ == Guard::off) return SQLITE_OK;
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_RECURSIVE: return SQLITE_OK;
    case SQLITE_FUNCTION:
      if (view(b) != "load_extension") return SQLITE_OK;
      me.refusal_ = "load_extension() is not allowed";
      return SQLITE_DENY;
    case SQLITE_READ:
    case SQLITE_INSERT:
    case SQLITE_UPDATE:
    case SQLITE_DELETE: return me.authorize_table(action, view(a), view(b));
    default:
      me.refusal_ = "closures only read and change rows (no DDL, pragmas or transaction control)";
      return SQLITE_DENY;
  }
}

int Connection::authorize_table(int action, std::string_view table, std::string_view column) {
  switch (catalog_->owner(table)) {
    case Ownership::platform: return SQLITE_OK;
    case Ownership::tenant:
      touches_tenant_ = true;
      if (guard_ == Guard::platform) {
        refusal_ = fmt::format("{} is a tenant's table, reached only through a TenantScope", table);
      } else if (action == SQLITE_UPDATE && lower_case(column) == "tenant_id") {
        refusal_ = fmt::format("tenant_id of {} can't be changed", table);
      } else {
        return SQLITE_OK;
      }
      return SQLITE_DENY;
    case Ownership::engine:
      refusal_ = fmt::format("{} is the engine's own", table);
      return SQLITE_DENY;
    case Ownership::undeclared: break;
  }
  // Subqueries and common table expressions come by here as well, when none of their columns is
  // used.
  if (action == SQLITE_READ && column.empty()) {
    unknown_.emplace_back(table);
    return SQLITE_OK;
  }
  refusal_ = fmt::format("no Schema declares the table {}", table);
  return SQLITE_DENY;
}

}  // namespace postern::sql
