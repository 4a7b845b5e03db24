#include "message/address.hpp"

#include <algorithm>
#include <utility>

#include "core/ascii.hpp"
#include "message/email_address.hpp"
#include "message/encoded_word.hpp"
#include "message/lexer.hpp"

namespace postern::message {

namespace {

constexpr std::string_view kAtomStops = "<>,;:\"()@[]";

struct Token {
  std::string text;
  bool space_before = false;
  bool at_sign = false;
};

/// Words belong together when nothing or only a dot stands between them (RFC 5322 §4.4
/// obs-local-part).
bool joined(const Token& left, const Token& right) {
  if (!right.space_before) return true;
  return left.text.ends_with('.') || right.text.starts_with('.');
}

class ListParser {
 public:
  explicit ListParser(std::string_view text) : lexer_(text) {}

  std::vector<Address> run() {
    while (!lexer_.at_end() && list_.size() < kMaxAddresses) step();
    finish_item();
    end_group();
    return std::move(list_);
  }

 private:
  void step() {
    if (lexer_.skip_cfws(&comment_)) {
      space_ = true;
      return;
    }
    const char c = lexer_.peek();
    if (c == ',' || c == ';') {
      lexer_.advance();
      finish_item();
      if (c == ';') end_group();
    } else if (c == '<' && !angle_) {
      lexer_.advance();
      angle();
    } else if (c == ':' && !in_group_ && !tokens_.empty() && !angle_) {
      lexer_.advance();
      begin_group();
    } else {
      token();
    }
  }

  void token() {
    Token token;
    token.space_before = std::exchange(space_, false);
    const char c = lexer_.peek();
    if (c == '"') {
      token.text = lexer_.quoted_string();
    } else if (c == '[') {
      token.text = literal();
    } else if (kAtomStops.find(c) != std::string_view::npos) {
      lexer_.advance();
      if (c != '@' && c != ':') return;  // stray: > ) ] or a second <
      token.text = c;
      token.at_sign = c == '@';
    } else {
      token.text = lexer_.word_until(kAtomStops);
    }
    tokens_.push_back(std::move(token));
  }

  std::string literal() {
    std::string out;
    while (!lexer_.at_end()) {
      const char c = lexer_.peek();
      if (c == ',' || c == '>' || c == ';') break;
      lexer_.advance();
      if (!ascii::is_wsp(c) && c != '\r' && c != '\n') out += c;
      if (c == ']') break;
    }
    return out;
  }

  /// Inside <>: an obsolete route and the address.
  void angle() {
    angle_ = true;
    name_tokens_ = std::exchange(tokens_, {});
    space_ = false;
    lexer_.skip_cfws();
    if (!lexer_.at_end() && lexer_.peek() == '@') route();
    while (!lexer_.at_end() && lexer_.peek() != '>') {
      if (lexer_.skip_cfws(&comment_)) {
        space_ = true;
      } else if (const char c = lexer_.peek(); c == ',' || c == ';' || c == '<') {
        lexer_.advance();
      } else {
        token();
      }
    }
    lexer_.take('>');
    take_addr_spec();
    tokens_.clear();
    space_ = true;
  }

  void route() {
    const std::string_view rest = lexer_.rest();
    const auto end = rest.find_first_of(":>");
    if (end == std::string_view::npos || rest[end] != ':') return;
    for (const char c : rest.substr(0, end)) {
      if (!ascii::is_wsp(c) && c != '\r' && c != '\n') item_.route += c;
    }
    lexer_.seek(lexer_.position() + end + 1);
  }

  /// tokens_ hold "local @ domain", maybe with words in front of it, which become the name.
  void take_addr_spec() {
    const auto at = std::ranges::find_if(tokens_.rbegin(), tokens_.rend(), &Token::at_sign);
    if (at == tokens_.rend()) {
      if (tokens_.size() == 1 || angle_) {
        for (const Token& token : tokens_) item_.local += token.text;
      } else {
        name_tokens_ = tokens_;
      }
      return;
    }
    const auto split = static_cast<std::size_t>(tokens_.rend() - at) - 1;
    std::size_t begin = split;
    while (begin > 0 && (begin == split || joined(tokens_[begin - 1], tokens_[begin]))) --begin;
    for (std::size_t i = begin; i < split; ++i) item_.local += tokens_[i].text;
    for (std::size_t i = split + 1; i < tokens_.size(); ++i) {
      if (i > split + 1 && !joined(tokens_[i - 1], tokens_[i])) break;
      item_.domain += tokens_[i].text;
    }
    if (begin > 0 && name_tokens_.empty())
      name_tokens_.assign(tokens_.begin(), tokens_.begin() + static_cast<std::ptrdiff_t>(begin));
  }

  static std::string phrase(const std::vector<Token>& tokens) {
    std::string out;
    for (const Token& token : tokens) {
      if (!out.empty() && token.space_before) out += ' ';
      out += token.text;
    }
    return out;
  }

  void finish_item() {
    if (!angle_) {
      take_addr_spec();
    } else if (name_tokens_.empty()) {
      name_tokens_ = std::exchange(tokens_, {});
    }
    item_.name = phrase(name_tokens_);
    if (item_.name.empty()) item_.name = ascii::trim(comment_);
    const bool something = angle_ || !tokens_.empty() || !name_tokens_.empty();
    if (something && list_.size() < kMaxAddresses) list_.push_back(std::move(item_));
    reset();
  }

  void begin_group() {
    list_.push_back({.kind = Address::Kind::group_start,
                     .name = phrase(tokens_),
                     .route = {},
                     .local = {},
                     .domain = {}});
    in_group_ = true;
    reset();
  }

  void end_group() {
    if (in_group_)
      list_.push_back(
          {.kind = Address::Kind::group_end, .name = {}, .route = {}, .local = {}, .domain = {}});
    in_group_ = false;
  }

  void reset() {
    item_ = {};
    tokens_.clear();
    name_tokens_.clear();
    comment_.clear();
    angle_ = false;
    space_ = false;
  }

  Lexer lexer_;
  std::vector<Address> list_;
  Address item_;
  std::vector<Token> tokens_, name_tokens_;
  std::string comment_;
  bool angle_ = false;
  bool in_group_ = false;
  bool space_ = false;
};

bool is_atext(char c) {
  return ascii::is_alnum(c) ||
         std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos ||
         (static_cast<unsigned char>(c) & 0x80U) != 0;
}

bool is_dot_atom(std::string_view text) {
  if (text.empty() || text.front() == '.' || text.back() == '.') return false;
  if (text.find("..") != std::string_view::npos) return false;
  return std::ranges::all_of(text, [](char c) { return c == '.' || is_atext(c); });
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

}  // namespace

std::string Address::display_name() const { return decode_words(name); }

std::string Address::addr_spec() const {
  std::string out = quote_local(local);
  if (!domain.empty()) out.append("@").append(domain);
  return out;
}

std::vector<Address> parse_address_list(std::string_view raw_value) {
  return ListParser(raw_value).run();
}

std::vector<Address> parse_mailboxes(std::string_view raw_value) {
  auto list = parse_address_list(raw_value);
  std::erase_if(list, [](const Address& a) { return a.kind != Address::Kind::mailbox; });
  return list;
}

std::string quote_local(std::string_view local) {
  return is_dot_atom(local) || local.empty() ? std::string(local) : quoted(local);
}

std::string encode_phrase(std::string_view utf8_name) {
  const bool printable =
      std::ranges::all_of(utf8_name, [](char c) { return c >= ' ' && c < 0x7f; });
  if (!printable || utf8_name.find("=?") != std::string_view::npos) {
    return encode_phrase_words(utf8_name);
  }
  const bool atoms = std::ranges::all_of(utf8_name, [](char c) { return c == ' ' || is_atext(c); });
  const bool clean =
      ascii::trim(utf8_name) == utf8_name && utf8_name.find("  ") == std::string_view::npos;
  return atoms && clean ? std::string(utf8_name) : quoted(utf8_name);
}

std::string format_mailbox(std::string_view utf8_name, std::string_view addr_spec) {
  if (utf8_name.empty()) return std::string(addr_spec);
  return encode_phrase(utf8_name) + " <" + std::string(addr_spec) + '>';
}

std::vector<std::string> parse_message_ids(std::string_view raw_value) {
  constexpr std::size_t most_ids = 1'000;
  std::vector<std::string> ids;
  for (std::size_t at = raw_value.find('<'); at != std::string_view::npos && ids.size() < most_ids;
       at = raw_value.find('<', at)) {
    const auto end = raw_value.find('>', at);
    if (end == std::string_view::npos) break;
    std::string id;
    for (const char c : raw_value.substr(at, end - at + 1)) {
      if (!ascii::is_wsp(c) && c != '\r' && c != '\n') id += c;
    }
    if (id.size() > 2) ids.push_back(std::move(id));
    at = end;
  }
  return ids;
}

}  // namespace postern::message
