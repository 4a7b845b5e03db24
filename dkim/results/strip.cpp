// Finds and removes Authentication-Results fields that a sender wrote in our name (RFC 8601 §5).
#include <optional>

#include "core/ascii.hpp"
#include "dkim/fields.hpp"
#include "dkim/results/authentication_results.hpp"

namespace postern::dkim {

namespace {

struct Word {
  std::string text;
  std::size_t end = 0;
};

std::optional<Word> read_quoted(std::string_view value, std::size_t at) {
  Word word;
  for (++at; at < value.size(); ++at) {
    if (value[at] == '"') {
      word.end = at + 1;
      return word;
    }
    if (value[at] == '\\' && at + 1 < value.size()) ++at;
    if (value[at] != '\r' && value[at] != '\n') word.text += value[at];
  }
  return std::nullopt;
}

// A token, read generously: all that could be part of a host name in some program's eyes.
std::optional<Word> read_word(std::string_view value, std::size_t at) {
  if (at >= value.size()) return std::nullopt;
  if (value[at] == '"') return read_quoted(value, at);
  Word word;
  word.end = std::min(value.find_first_of(" \t\r\n;(\"", at), value.size());
  word.text = value.substr(at, word.end - at);
  if (word.text.empty()) return std::nullopt;
  return word;
}

std::string normal_id(std::string_view id) {
  std::string lower = ascii::to_lower(ascii::trim(id));
  if (lower.ends_with('.')) lower.pop_back();
  return lower;
}

// [CFWS] authserv-id [CFWS authres-version] [CFWS] (";" or the end)
std::optional<std::string> read_authserv_id(std::string_view value) {
  const auto id = read_word(value, skip_cfws(value, 0));
  if (!id) return std::nullopt;
  std::size_t at = skip_cfws(value, id->end);
  while (at < value.size() && ascii::is_digit(value[at])) ++at;
  at = skip_cfws(value, at);
  if (at < value.size() && value[at] != ';') return std::nullopt;
  return normal_id(id->text);
}

}  // namespace

bool claims_authserv_id(std::string_view value, std::string_view authserv_id) {
  const std::string ours = normal_id(authserv_id);
  if (const auto id = read_authserv_id(value)) return *id == ours;
  return ascii::to_lower(value).find(ours) != std::string::npos;
}

std::string without_forged_results(std::string_view header, std::string_view authserv_id) {
  std::string kept;
  kept.reserve(header.size());
  for (const auto& field : split_fields(header, header.size())) {
    const bool forged = ascii::iequals(field.name, "authentication-results") &&
                        claims_authserv_id(field.value, authserv_id);
    if (!forged) kept += field.raw;
  }
  return kept;
}

}  // namespace postern::dkim
