#include "accounts/audit/query.hpp"

#include <algorithm>
#include <limits>

#include "accounts/audit/rows.hpp"

namespace postern::accounts::audit {

namespace {

constexpr std::int64_t kLowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kHighest = std::numeric_limits<std::int64_t>::max();

/// Numbers of the records that a page may hold, both included.
struct Span {
  std::int64_t low = 1;
  std::int64_t high = 0;
};

std::optional<std::int64_t> number_or_none(sql::Statement row) {
  if (!row.step() || row.is_null(0)) return std::nullopt;
  return row.integer(0);
}

std::optional<std::int64_t> lowest(sql::TenantScope& scope, const Filter& filter) {
  if (!filter.from) {
    return number_or_none(scope.prepare(
        "SELECT number FROM audit_records WHERE tenant_id = :tenant ORDER BY number LIMIT 1"));
  }
  auto row = scope.prepare(
      "SELECT MIN(number) FROM audit_records WHERE tenant_id = :tenant AND at >= :from");
  row.bind(":from", *filter.from);
  return number_or_none(std::move(row));
}

std::optional<std::int64_t> highest(sql::TenantScope& scope, const Filter& filter) {
  if (!filter.to) {
    return number_or_none(scope.prepare(
        "SELECT number FROM audit_records WHERE tenant_id = :tenant ORDER BY number DESC LIMIT 1"));
  }
  auto row =
      scope.prepare("SELECT MAX(number) FROM audit_records WHERE tenant_id = :tenant AND at < :to");
  row.bind(":to", *filter.to);
  return number_or_none(std::move(row));
}

/// The whole chain, or what of it lies in the filter's time: clocks step back, so the numbers there
/// needn't be all of that time, but nothing of that time lies outside.
std::optional<Span> span_of(sql::TenantScope& scope, const Filter& filter) {
  const auto low = lowest(scope, filter);
  const auto high = highest(scope, filter);
  if (!low || !high) return std::nullopt;
  return Span{std::max(*low, std::int64_t{1}), *high};
}

std::int64_t micros_or(const std::optional<Timestamp>& time, std::int64_t otherwise) {
  return time ? to_micros(*time) : otherwise;
}

// What isn't an index's business is written so that no index is tempting (+at).
#define AUDIT_FILTER                                                                           \
  "tenant_id = :tenant AND number >= :low AND number <= :high AND +at >= :from AND +at < :to " \
  "AND substr(action, 1, :action_size) = :action "                                             \
  "AND (:actor = '' OR actor_id = :actor OR actor = :actor OR original_actor = :actor) "

std::vector<Entry> read_span(sql::TenantScope& scope, const Filter& filter, Span span,
                             std::size_t limit) {
  const bool by_target = !filter.target.empty();
  auto rows = by_target
                  ? scope.prepare("SELECT " AUDIT_COLUMNS " FROM audit_records WHERE " AUDIT_FILTER
                                  "AND target = :target ORDER BY number DESC LIMIT :limit")
                  : scope.prepare("SELECT " AUDIT_COLUMNS " FROM audit_records WHERE " AUDIT_FILTER
                                  "ORDER BY number DESC LIMIT :limit");
  rows.bind(":low", span.low)
      .bind(":high", span.high)
      .bind(":from", micros_or(filter.from, kLowest))
      .bind(":to", micros_or(filter.to, kHighest))
      .bind(":action_size", static_cast<std::int64_t>(filter.action.size()))
      .bind_text(":action", filter.action)
      .bind_text(":actor", filter.actor)
      .bind(":limit", static_cast<std::int64_t>(limit));
  if (by_target) rows.bind_text(":target", filter.target);
  std::vector<Entry> entries;
  while (rows.step()) entries.push_back(read_entry(rows));
  return entries;
}

#undef AUDIT_FILTER

}  // namespace

Page list(sql::TenantScope& scope, const Filter& filter, std::optional<std::uint64_t> before,
          std::size_t limit) {
  Page page;
  limit = std::clamp<std::size_t>(limit, 1, kMaxPage);
  auto span = span_of(scope, filter);
  if (!span) return page;
  if (before) {
    const auto bounded = std::min<std::uint64_t>(*before, kHighest);
    span->high = std::min(span->high, static_cast<std::int64_t>(bounded) - 1);
  }
  if (span->high < span->low) return page;
  const auto whole = *span;
  // Records of one target have an index of their own, and no window to look through.
  if (filter.target.empty() && span->high - span->low >= kPageWindow) {
    span->low = span->high - kPageWindow + 1;
  }
  page.entries = read_span(scope, filter, *span, limit);
  if (page.entries.size() == limit) {
    if (static_cast<std::int64_t>(page.entries.back().number) > whole.low) {
      page.next = page.entries.back().number;
    }
  } else if (span->low > whole.low) {
    page.next = static_cast<std::uint64_t>(span->low);
  }
  return page;
}

std::vector<Entry> read_after(sql::TenantScope& scope, std::uint64_t after, std::size_t limit) {
  std::vector<Entry> entries;
  auto rows = scope.prepare("SELECT " AUDIT_COLUMNS
                            " FROM audit_records WHERE tenant_id = :tenant AND number > :after "
                            "ORDER BY number LIMIT :limit");
  rows.bind(":after", static_cast<std::int64_t>(std::min<std::uint64_t>(after, kHighest)))
      .bind(":limit", static_cast<std::int64_t>(std::min(limit, kMaxPage)));
  while (rows.step()) entries.push_back(read_entry(rows));
  return entries;
}

Result<Entry> find_record(sql::TenantScope& scope, std::uint64_t number) {
  auto row = scope.prepare("SELECT " AUDIT_COLUMNS
                           " FROM audit_records WHERE tenant_id = :tenant AND number = :number");
  row.bind(":number", static_cast<std::int64_t>(std::min<std::uint64_t>(number, kHighest)));
  if (!row.step()) return fail(Errc::not_found, "no such audit record");
  return read_entry(row);
}

}  // namespace postern::accounts::audit
