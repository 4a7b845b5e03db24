#include "storage/sql/scope_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "storage/sql/insert_check.hpp"

namespace postern::sql {

namespace {

constexpr std::string_view kTenantColumn = "tenant_id";
constexpr std::string_view kTenantParameter = ":tenant";

/// What may follow a complete `tenant_id = :tenant`; an operator would make it part of something
/// else.
constexpr auto kAfterComparison = std::to_array<std::string_view>(
    {"and",       "or",    ")",      ";",  ",",      "order", "group",  "limit",
     "returning", "union", "except", "on", "join",   "left",  "inner",  "cross",
     "where",     "then",  "end",    "do", "having", "else",  "window", "intersect"});

/// Words that can follow a table's name and aren't an alias. A missing one only makes an odd alias.
constexpr auto kNotAlias = std::to_array<std::string_view>(
    {"set",     "where",     "on",        "join",  "left",   "inner",   "cross",
     "natural", "order",     "group",     "limit", "values", "select",  "union",
     "except",  "intersect", "returning", "using", "having", "indexed", "not",
     "default", "and",       "or",        "full",  "right",  "outer",   "window"});

template <std::size_t N>
bool among(std::string_view word, const std::array<std::string_view, N>& words) {
  return std::ranges::find(words, word) != words.end();
}

using Tokens = std::vector<Token>;

const Token* at(const Tokens& tokens, std::size_t index) {
  return index < tokens.size() ? &tokens[index] : nullptr;
}
bool is_at(const Tokens& tokens, std::size_t index, std::string_view text) {
  const auto* token = at(tokens, index);
  return token != nullptr && token->is(text);
}

/// The alias that follows the table at `index`, or empty.
std::string alias_after(const Tokens& tokens, std::size_t index) {
  auto next = index + 1;
  if (is_at(tokens, next, "as")) ++next;
  const auto* token = at(tokens, next);
  if (token == nullptr || token->kind != Token::Kind::word || among(token->text, kNotAlias))
    return {};
  return token->text;
}

/// The qualifier in `qualifier.tenant_id` when `index` is at tenant_id.
std::optional<std::string> qualifier_of(const Tokens& tokens, std::size_t index) {
  if (index < 2 || !tokens[index - 1].is(".")) return std::nullopt;
  return tokens[index - 2].text;
}

/// tenant_id at `index` begins `tenant_id = ...`: refused unless the other side is in the scope.
std::optional<std::string> check_comparison(const Tokens& tokens, std::size_t index,
                                            const Mentions& mentions, std::size_t& end) {
  const auto* other = at(tokens, index + 2);
  end = index + 3;
  if (other == nullptr) return "tenant_id is compared with nothing";
  if (!other->is_parameter(kTenantParameter)) {
    const auto mine = qualifier_of(tokens, index);
    const bool column = other->kind == Token::Kind::word && is_at(tokens, index + 3, ".") &&
                        is_at(tokens, index + 4, kTenantColumn);
    if (!column) return "tenant_id is compared with something other than :tenant";
    if (!mine || !mentions.names.contains(*mine) || !mentions.names.contains(other->text)) {
      return "tenant_id is compared with the column of a table outside the scope";
    }
    end = index + 5;
  }
  const auto* after = at(tokens, end);
  if (after != nullptr &&
      !(after->kind == Token::Kind::word || after->kind == Token::Kind::symbol)) {
    return "tenant_id = :tenant is part of a larger expression";
  }
  if (after != nullptr && !among(after->text, kAfterComparison)) {
    return "tenant_id = :tenant is part of a larger expression";
  }
  return std::nullopt;
}

/// Inside the parentheses of INSERT INTO t (...) or ON CONFLICT (...).
bool in_column_list(const Tokens& tokens, std::size_t index) {
  auto open = index;
  while (open > 0 && !(tokens[open].is("(") && tokens[open].depth < tokens[index].depth)) --open;
  if (!tokens[open].is("(") || open == 0) return false;
  if (tokens[open - 1].is("conflict")) return true;
  auto before = open;  // the word INTO stands before the table and an optional alias
  for (int words = 0; words < 4 && before > 0; ++words) {
    --before;
    if (tokens[before].is("into")) return true;
    if (tokens[before].kind != Token::Kind::word) return false;
  }
  return false;
}

std::optional<std::string> check_tenant_columns(const Tokens& tokens, const Mentions& mentions) {
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (!tokens[i].is(kTenantColumn)) continue;
    if (is_at(tokens, i + 1, "=")) {
      std::size_t end = i;
      if (auto why = check_comparison(tokens, i, mentions, end)) return why;
      i = end - 1;
    } else if (!in_column_list(tokens, i)) {
      return "tenant_id stands where it could leave the scope or be compared with something else "
             "(only `tenant_id = :tenant`, `a.tenant_id = b.tenant_id` and column lists of INSERT "
             "and ON CONFLICT are allowed)";
    }
  }
  return std::nullopt;
}

std::optional<std::string> check_shape(const Tokens& tokens) {
  bool tenant = false;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const auto& token = tokens[i];
    tenant = tenant || token.is_parameter(kTenantParameter);
    if (token.kind == Token::Kind::quoted) return "quoted names are not allowed here";
    if ((token.is("main") || token.is("temp")) && is_at(tokens, i + 1, ".")) {
      return "schema names are not allowed here";
    }
    if (token.is("natural") || token.is("using")) return "NATURAL and USING are not allowed here";
    if (token.is("*") && i > 0 &&
        among(tokens[i - 1].text, std::to_array<std::string_view>(
                                      {"select", "distinct", "all", ",", ".", "returning"}))) {
      return "SELECT * is not allowed here: name the columns";
    }
    if (token.kind == Token::Kind::parameter && (token.text.size() < 2 || token.text[0] != ':')) {
      return "parameters must be named with a colon";
    }
  }
  if (!tenant) return "the text has no :tenant";
  return std::nullopt;
}

struct Access {
  std::string name;
  bool by_tenant;
};

/// "SEARCH m USING INDEX i (tenant_id=? AND x>?)": m, and whether tenant_id=? is among the terms.
std::optional<Access> parse_access(std::string_view detail) {
  const bool search = detail.starts_with("SEARCH ");
  if (!search && !detail.starts_with("SCAN ")) return std::nullopt;
  detail.remove_prefix(search ? 7 : 5);
  Access access{lower_case(detail.substr(0, detail.find(' '))), false};
  if (!search || detail.contains("AUTOMATIC")) return access;
  const auto open = detail.rfind('(');
  const auto close = detail.find(')', open == std::string_view::npos ? 0 : open);
  if (open == std::string_view::npos || close == std::string_view::npos) return access;
  auto terms = detail.substr(open + 1, close - open - 1);
  while (!terms.empty()) {
    const auto cut = terms.find(" AND ");
    access.by_tenant = access.by_tenant || terms.substr(0, cut) == "tenant_id=?";
    terms = cut == std::string_view::npos ? std::string_view{} : terms.substr(cut + 5);
  }
  return access;
}

}  // namespace

Mentions find_mentions(const Tokens& tokens, const Catalog& catalog) {
  Mentions mentions;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const auto& token = tokens[i];
    if (token.kind != Token::Kind::word || catalog.owner(token.text) != Ownership::tenant) continue;
    mentions.names.insert(token.text);
    mentions.table_of[token.text] = token.text;
    if (is_at(tokens, i + 1, ".") || (i > 0 && tokens[i - 1].is("."))) continue;
    const bool target = i > 0 && tokens[i - 1].is("into");
    if (!target) ++mentions.reads[token.text];
    if (auto alias = alias_after(tokens, i); !alias.empty()) {
      mentions.names.insert(alias);
      mentions.table_of[alias] = token.text;
    }
  }
  return mentions;
}

std::optional<std::string> check_scoped_text(const Tokens& tokens, const Mentions& mentions,
                                             const Catalog& catalog) {
  if (auto why = check_shape(tokens)) return why;
  if (auto why = check_tenant_columns(tokens, mentions)) return why;
  return check_insert(tokens, catalog);
}

std::optional<std::string> check_plan(const std::vector<PlanRow>& plan, const Mentions& mentions) {
  std::map<std::string, int, std::less<>> answered;
  std::set<std::pair<int, std::string>>
      counted;  // the rows of one MULTI-INDEX OR answer for one mention
  std::map<int, PlanRow> by_id;
  for (const auto& row : plan) by_id[row.id] = row;
  for (const auto& row : plan) {
    if (row.detail.contains("FOR IN-OPERATOR")) {
      return fmt::format("an IN (SELECT ...) reads a whole index ({})", row.detail);
    }
    const auto access = parse_access(row.detail);
    if (!access) continue;
    const auto table = mentions.table_of.find(access->name);
    if (table == mentions.table_of.end()) continue;
    if (!access->by_tenant) {
      return fmt::format("{} is not reached by a SEARCH on tenant_id ({})", table->second,
                         row.detail);
    }
    auto group = row.id;
    const auto parent = by_id.find(row.parent);
    if (parent != by_id.end() && parent->second.detail.starts_with("INDEX ")) {
      group = parent->second.parent;
    }
    if (counted.emplace(group, access->name).second) ++answered[table->second];
  }
  for (const auto& [table, mentioned] : mentions.reads) {
    if (answered[table] < mentioned) {
      return fmt::format(
          "the plan reaches {} {} time(s) by SEARCH on tenant_id, the text names it {} time(s)",
          table, answered[table], mentioned);
    }
  }
  return std::nullopt;
}

}  // namespace postern::sql
