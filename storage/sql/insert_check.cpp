#include "storage/sql/insert_check.hpp"

namespace postern::sql {

namespace {

using Tokens = std::vector<Token>;

/// A run of tokens, [begin, end).
struct Range {
  std::size_t begin;
  std::size_t end;
};

std::size_t find_at_depth(const Tokens& tokens, std::size_t from, std::string_view what,
                          int depth) {
  while (from < tokens.size() && !(tokens[from].depth == depth && tokens[from].is(what))) ++from;
  return from;
}

/// Splits at the commas of one depth.
std::vector<Range> split(const Tokens& tokens, Range range, int depth) {
  std::vector<Range> parts;
  auto begin = range.begin;
  for (auto i = range.begin; i < range.end; ++i) {
    if (tokens[i].depth != depth || !tokens[i].is(",")) continue;
    parts.push_back({begin, i});
    begin = i + 1;
  }
  parts.push_back({begin, range.end});
  return parts;
}

bool is_tenant_value(const Tokens& tokens, const std::vector<Range>& values, std::size_t position) {
  if (position >= values.size()) return false;
  const auto value = values[position];
  return value.end == value.begin + 1 && tokens[value.begin].is_parameter(":tenant");
}

bool rows_give_tenant(const Tokens& tokens, std::size_t values, std::size_t position) {
  auto open = values + 1;
  const int depth = tokens[values].depth;
  bool any = false;
  while (open < tokens.size() && tokens[open].is("(")) {
    const auto close = find_at_depth(tokens, open + 1, ")", depth);
    if (!is_tenant_value(tokens, split(tokens, {open + 1, close}, depth + 1), position))
      return false;
    any = true;
    open = close + 1;
    if (open >= tokens.size() || !tokens[open].is(",")) break;
    ++open;
  }
  return any;
}

/// Every SELECT at the statement's own depth is a branch of the source.
bool selects_give_tenant(const Tokens& tokens, std::size_t from, std::size_t position) {
  const int depth = tokens[from].depth;
  bool any = false;
  for (auto select = find_at_depth(tokens, from, "select", depth); select < tokens.size();
       select = find_at_depth(tokens, select + 1, "select", depth)) {
    auto begin = select + 1;
    if (begin < tokens.size() && (tokens[begin].is("distinct") || tokens[begin].is("all"))) ++begin;
    auto end = begin;
    while (end < tokens.size() &&
           !(tokens[end].depth == depth &&
             (tokens[end].is("from") || tokens[end].is("union") || tokens[end].is("where") ||
              tokens[end].is("except") || tokens[end].is("intersect") || tokens[end].is("on")))) {
      ++end;
    }
    if (!is_tenant_value(tokens, split(tokens, {begin, end}, depth), position)) return false;
    any = true;
  }
  return any;
}

/// The columns in the parentheses at `open`; where tenant_id stands among them.
std::optional<std::size_t> tenant_position(const Tokens& tokens, std::size_t open,
                                           std::size_t close) {
  const auto columns = split(tokens, {open + 1, close}, tokens[open].depth + 1);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].end == columns[i].begin + 1 && tokens[columns[i].begin].is("tenant_id"))
      return i;
  }
  return std::nullopt;
}

std::optional<std::string> check_source(const Tokens& tokens, std::size_t source,
                                        std::size_t position) {
  if (source < tokens.size() && tokens[source].is("values")) {
    if (rows_give_tenant(tokens, source, position)) return std::nullopt;
  } else if (source < tokens.size() && tokens[source].is("select")) {
    // A compound source could end in VALUES, whose rows nobody would look at.
    if (find_at_depth(tokens, source, "values", tokens[source].depth) < tokens.size()) {
      return "INSERT from a SELECT with VALUES is not allowed here";
    }
    if (selects_give_tenant(tokens, source, position)) return std::nullopt;
  }
  return "the INSERT gives something other than :tenant for tenant_id";
}

}  // namespace

std::optional<std::string> check_insert(const Tokens& tokens, const Catalog& catalog) {
  const auto into = find_at_depth(tokens, 0, "into", 0);
  if (into + 1 >= tokens.size()) return std::nullopt;
  if (catalog.owner(tokens[into + 1].text) != Ownership::tenant) return std::nullopt;
  auto open = into + 2;
  if (open < tokens.size() && tokens[open].is("as")) open += 2;
  if (open >= tokens.size() || !tokens[open].is("(")) return "the INSERT doesn't list its columns";
  const auto close = find_at_depth(tokens, open + 1, ")", tokens[open].depth);
  const auto position = tenant_position(tokens, open, close);
  if (!position) return "the INSERT doesn't set tenant_id";
  return check_source(tokens, close + 1, *position);
}

}  // namespace postern::sql
