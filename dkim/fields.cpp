#include "dkim/fields.hpp"

#include "core/ascii.hpp"

namespace postern::dkim {

MessageParts split_message(std::string_view message) {
  if (message.starts_with("\r\n")) return {message.substr(0, 0), message.substr(2)};
  const auto end = message.find("\r\n\r\n");
  if (end == std::string_view::npos) return {message, {}};
  return {message.substr(0, end + 2), message.substr(end + 4)};
}

namespace {

// The end of the field that begins at `start`: after the first CRLF that no white space follows.
std::size_t field_end(std::string_view header, std::size_t start) {
  std::size_t at = start;
  while (true) {
    const auto line_end = header.find("\r\n", at);
    if (line_end == std::string_view::npos) return header.size();
    at = line_end + 2;
    if (at >= header.size() || !ascii::is_wsp(header[at])) return at;
  }
}

bool is_field_name(std::string_view name) {
  if (name.empty()) return false;
  for (char c : name) {
    if (c < 33 || c > 126 || c == ':') return false;
  }
  return true;
}

Field make_field(std::string_view raw) {
  Field field{.name = {}, .value = {}, .raw = raw};
  const auto colon = raw.find(':');
  if (colon == std::string_view::npos) return field;
  std::string_view name = raw.substr(0, colon);
  while (!name.empty() && ascii::is_wsp(name.back())) name.remove_suffix(1);
  if (!is_field_name(name)) return field;
  field.name = name;
  field.value = raw.substr(colon + 1);
  if (field.value.ends_with("\r\n")) field.value.remove_suffix(2);
  return field;
}

}  // namespace

std::vector<Field> split_fields(std::string_view header, std::size_t limit) {
  std::vector<Field> fields;
  std::size_t at = 0;
  while (at < header.size() && fields.size() < limit) {
    const auto end = field_end(header, at);
    fields.push_back(make_field(header.substr(at, end - at)));
    at = end;
  }
  return fields;
}

std::string unfold(std::string_view value) {
  std::string out;
  out.reserve(value.size());
  bool space = false;
  for (char c : value) {
    if (ascii::is_wsp(c) || c == '\r' || c == '\n') {
      space = true;
      continue;
    }
    if (space && !out.empty()) out += ' ';
    space = false;
    out += c;
  }
  return out;
}

std::size_t skip_cfws(std::string_view text, std::size_t at) {
  std::size_t depth = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '\\' && depth > 0) {
      ++at;
    } else if (c == '(') {
      ++depth;
    } else if (c == ')' && depth > 0) {
      --depth;
    } else if (depth == 0 && !ascii::is_wsp(c) && c != '\r' && c != '\n') {
      return at;
    }
  }
  return text.size();
}

}  // namespace postern::dkim
