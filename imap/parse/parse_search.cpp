// SEARCH's keys (RFC 3501 §6.4.4), by recursive descent with a bound on depth and count.
#include <array>
#include <functional>

#include "core/ascii.hpp"
#include "imap/parse/parsers.hpp"

namespace postern::imap {

namespace {
using Kind = SearchKey::Kind;
using KeyResult = std::expected<SearchKey, ParseError>;

/// What follows a key's name.
enum class Argument : std::uint8_t { none, keyword, date, number, text, address, header, set };

struct Name {
  std::string_view text;
  Kind kind;
  Argument argument;
  std::uint8_t flag = 0;
  bool negated = false;
};

constexpr std::array kKeys{
    Name{"ALL", Kind::all, Argument::none},
    Name{"ANSWERED", Kind::flag, Argument::none, kAnswered},
    Name{"DELETED", Kind::flag, Argument::none, kDeleted},
    Name{"DRAFT", Kind::flag, Argument::none, kDraft},
    Name{"FLAGGED", Kind::flag, Argument::none, kFlagged},
    Name{"SEEN", Kind::flag, Argument::none, kSeen},
    Name{"UNANSWERED", Kind::flag, Argument::none, kAnswered, true},
    Name{"UNDELETED", Kind::flag, Argument::none, kDeleted, true},
    Name{"UNDRAFT", Kind::flag, Argument::none, kDraft, true},
    Name{"UNFLAGGED", Kind::flag, Argument::none, kFlagged, true},
    Name{"UNSEEN", Kind::flag, Argument::none, kSeen, true},
    Name{"KEYWORD", Kind::keyword, Argument::keyword},
    Name{"UNKEYWORD", Kind::keyword, Argument::keyword, 0, true},
    Name{"RECENT", Kind::recent, Argument::none},
    Name{"OLD", Kind::recent, Argument::none, 0, true},
    Name{"BEFORE", Kind::before, Argument::date},
    Name{"ON", Kind::on, Argument::date},
    Name{"SINCE", Kind::since, Argument::date},
    Name{"SENTBEFORE", Kind::sent_before, Argument::date},
    Name{"SENTON", Kind::sent_on, Argument::date},
    Name{"SENTSINCE", Kind::sent_since, Argument::date},
    Name{"LARGER", Kind::larger, Argument::number},
    Name{"SMALLER", Kind::smaller, Argument::number},
    Name{"BCC", Kind::header, Argument::address},
    Name{"CC", Kind::header, Argument::address},
    Name{"FROM", Kind::header, Argument::address},
    Name{"SUBJECT", Kind::header, Argument::address},
    Name{"TO", Kind::header, Argument::address},
    Name{"HEADER", Kind::header, Argument::header},
    Name{"BODY", Kind::body, Argument::text},
    Name{"TEXT", Kind::text, Argument::text},
    Name{"UID", Kind::uid, Argument::set},
};

SearchKey negate(SearchKey key) {
  SearchKey out;
  out.kind = Kind::negation;
  out.children.push_back(std::move(key));
  return out;
}

class KeyParser {
 public:
  explicit KeyParser(Scanner& in) : in_(in) {}

  /// Keys separated by spaces, up to ')' or the end.
  KeyResult all_of(std::size_t depth) {
    SearchKey out;
    out.kind = Kind::conjunction;
    do {
      auto next = key(depth);
      if (!next) return next;
      out.children.push_back(std::move(*next));
    } while (in_.space());
    if (out.children.size() == 1) {
      SearchKey only = std::move(out.children.front());
      return only;
    }
    return out;
  }

 private:
  KeyResult key(std::size_t depth) {
    if (depth > kMaxSearchDepth) return limit("Search nested too deep");
    if (++count_ > kMaxSearchKeys) return limit("Too many search keys");
    if (in_.accept('(')) {
      auto group = all_of(depth + 1);
      if (group && !in_.accept(')')) return bad("Expected ')'");
      return group;
    }
    if (ascii::is_digit(in_.peek()) || in_.peek() == '*') return set(Kind::sequence);
    const auto word = in_.word();
    if (ascii::iequals(word, "NOT")) return negation(depth);
    if (ascii::iequals(word, "OR")) return disjunction(depth);
    if (ascii::iequals(word, "NEW")) return recent_and_unseen();
    for (const auto& name : kKeys) {
      if (ascii::iequals(name.text, word)) return named(name);
    }
    return bad("Unknown search key");
  }

  KeyResult negation(std::size_t depth) {
    if (!in_.space()) return bad("Expected a search key");
    auto operand = key(depth + 1);
    if (!operand) return operand;
    return negate(std::move(*operand));
  }

  KeyResult disjunction(std::size_t depth) {
    SearchKey out;
    out.kind = Kind::disjunction;
    for (int i = 0; i < 2; ++i) {
      if (!in_.space()) return bad("Expected a search key");
      auto operand = key(depth + 1);
      if (!operand) return operand;
      out.children.push_back(std::move(*operand));
    }
    return out;
  }

  static KeyResult recent_and_unseen() {
    SearchKey recent;
    recent.kind = Kind::recent;
    SearchKey seen;
    seen.kind = Kind::flag;
    seen.flag = kSeen;
    SearchKey out;
    out.kind = Kind::conjunction;
    out.children.push_back(std::move(recent));
    out.children.push_back(negate(std::move(seen)));
    return out;
  }

  KeyResult set(Kind kind) {
    auto parsed = in_.sequence_set();
    if (!parsed) return bad("Bad sequence set");
    SearchKey out;
    out.kind = kind;
    out.set = std::move(*parsed);
    return out;
  }

  KeyResult named(const Name& name) {
    SearchKey out;
    out.kind = name.kind;
    out.flag = name.flag;
    if (name.argument != Argument::none && !in_.space()) return bad("Expected an argument");
    if (auto read = argument(name, out); !read) return std::unexpected(read.error());
    return name.negated ? negate(std::move(out)) : std::move(out);
  }

  std::expected<void, ParseError> argument(const Name& name, SearchKey& out) {
    switch (name.argument) {
      case Argument::none: return {};
      case Argument::keyword: {
        const auto keyword = in_.atom();
        if (!keyword) return bad("Bad keyword");
        out.text = std::string(*keyword);
        return {};
      }
      case Argument::date: {
        const auto date = in_.date();
        if (!date) return bad("Bad date");
        out.date = *date;
        return {};
      }
      case Argument::number: {
        const auto number = in_.number();
        if (!number) return bad("Bad number");
        out.number = *number;
        return {};
      }
      case Argument::set: {
        auto parsed = set(name.kind);
        if (!parsed) return std::unexpected(parsed.error());
        out = std::move(*parsed);
        return {};
      }
      case Argument::address: out.name = std::string(name.text); return text(out.text);
      case Argument::text: return text(out.text);
      case Argument::header:
        if (auto read = text(out.name); !read) return read;
        if (out.name.empty() || !in_.space()) return bad("Expected a field name and a string");
        return text(out.text);
    }
    return bad("Bad argument");
  }

  std::expected<void, ParseError> text(std::string& out) {
    auto read = in_.astring();
    if (!read) return bad("Bad string");
    if (read->size() > kMaxSearchText) return limit("Search string too long");
    out = std::move(*read);
    return {};
  }

  static std::unexpected<ParseError> limit(std::string text) {
    return std::unexpected(ParseError{"LIMIT", std::move(text)});
  }

  Scanner& in_;
  std::size_t count_ = 0;
};
}  // namespace

std::expected<SearchKey, ParseError> parse_search_keys(Scanner& in) {
  auto key = KeyParser(in).all_of(0);
  if (key && !in.at_end()) return bad("Nothing expected after the search keys");
  return key;
}

}  // namespace postern::imap
