#include "smtp/protocol/path.hpp"

#include "core/ascii.hpp"
#include "core/ip_address.hpp"
#include "message/email_address.hpp"

namespace postern::smtp {

namespace {

bool is_high(char c) { return static_cast<unsigned char>(c) >= 0x80; }

// RFC 5322 §3.2.3 atext, with RFC 6531 §3.3 UTF8-non-ascii.
bool is_atext(char c) {
  constexpr std::string_view specials = "!#$%&'*+-/=?^_`{|}~";
  return ascii::is_alnum(c) || is_high(c) || specials.find(c) != std::string_view::npos;
}

bool is_dot_string(std::string_view text) {
  if (text.empty() || text.front() == '.' || text.back() == '.') return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '.' ? text[i - 1] == '.' : !is_atext(text[i])) return false;
  }
  return true;
}

// Octets of a Dot-string at the front of `text`, moved to `local`; 0: none.
std::size_t take_dot_string(std::string_view text, std::string& local) {
  std::size_t end = 0;
  while (end < text.size() && (is_atext(text[end]) || text[end] == '.')) ++end;
  if (!is_dot_string(text.substr(0, end))) return 0;
  local = text.substr(0, end);
  return end;
}

// A Quoted-string, unquoted into `local`. `""` is grammatical but names nobody: refused.
std::size_t take_quoted_string(std::string_view text, std::string& local) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    char c = text[i];
    if (c == '"') return local.empty() ? 0 : i + 1;
    if (c == '\\') {
      if (++i == text.size() || is_high(text[i])) return 0;
      c = text[i];
    }
    if (!is_high(c) && (c < ' ' || c > '~')) return 0;
    local.push_back(c);
  }
  return 0;
}

// Octets of a Domain or address-literal at the front of `text`; 0: none.
std::size_t domain_length(std::string_view text) {
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos || !is_address_literal(text.substr(0, end + 1))) return 0;
    return end + 1;
  }
  std::size_t end = 0;
  while (end < text.size() &&
         (ascii::is_alnum(text[end]) || is_high(text[end]) || text[end] == '-' || text[end] == '.'))
    ++end;
  return is_domain(text.substr(0, end)) ? end : 0;
}

// Octets of `local@domain` at the front of `text`; 0: none.
std::size_t take_mailbox(std::string_view text, Path& path) {
  const std::size_t local = text.starts_with('"') ? take_quoted_string(text, path.local)
                                                  : take_dot_string(text, path.local);
  if (local == 0 || path.local.size() > kMaxLocalPart || !message::is_utf8(path.local)) return 0;
  if (local >= text.size() || text[local] != '@') return 0;
  const std::string_view rest = text.substr(local + 1);
  const std::size_t domain = domain_length(rest);
  if (domain == 0) return 0;
  path.domain = rest.substr(0, domain);
  return local + 1 + domain;
}

// Octets of an A-d-l with its colon at the front of `text` ("@a,@b:"); 0: none.
std::size_t source_route_length(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size() && text[at] == '@' && at < kMaxSourceRoute) {
    const std::size_t domain = domain_length(text.substr(at + 1));
    if (domain == 0 || text[at + 1] == '[') return 0;
    at += 1 + domain;
    if (at >= text.size()) return 0;
    if (text[at] == ':') return at + 1;
    if (text[at] != ',') return 0;
    ++at;
  }
  return 0;
}

bool is_label(std::string_view label) {
  if (label.empty() || label.size() > kMaxLabel) return false;
  return label.front() != '-' && label.back() != '-';
}

}  // namespace

bool Path::is_ascii() const { return message::is_ascii(local) && message::is_ascii(domain); }

std::string to_string(const Path& path) {
  if (path.is_null()) return {};
  std::string out;
  if (is_dot_string(path.local)) {
    out = path.local;
  } else {
    out.push_back('"');
    for (const char c : path.local) {
      if (c == '"' || c == '\\') out.push_back('\\');
      out.push_back(c);
    }
    out.push_back('"');
  }
  if (!path.domain.empty()) out.append("@").append(path.domain);
  return out;
}

std::optional<ParsedPath> parse_path(std::string_view text) {
  if (!text.starts_with('<')) return std::nullopt;
  std::size_t at = 1;
  if (text.substr(at).starts_with('@')) {
    const std::size_t route = source_route_length(text.substr(at));
    if (route == 0) return std::nullopt;
    at += route;
  }
  ParsedPath parsed;
  const std::size_t mailbox = take_mailbox(text.substr(at), parsed.path);
  at += mailbox;
  if (mailbox == 0 || at >= text.size() || text[at] != '>') return std::nullopt;
  parsed.length = at + 1;
  return parsed;
}

std::optional<Path> parse_mailbox(std::string_view text) {
  Path path;
  const std::size_t length = take_mailbox(text, path);
  if (length == 0 || length != text.size()) return std::nullopt;
  return path;
}

bool is_domain(std::string_view text) {
  if (text.empty() || text.size() > kMaxDomain || !message::is_utf8(text)) return false;
  for (const char c : text) {
    if (!ascii::is_alnum(c) && !is_high(c) && c != '-' && c != '.') return false;
  }
  for (std::size_t at = 0; at <= text.size();) {
    const auto dot = std::min(text.find('.', at), text.size());
    if (!is_label(text.substr(at, dot - at))) return false;
    at = dot + 1;
  }
  return true;
}

bool is_address_literal(std::string_view text) { return parse_address_literal(text).has_value(); }

}  // namespace postern::smtp
