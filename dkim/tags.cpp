#include "dkim/tags.hpp"

#include "core/ascii.hpp"

namespace postern::dkim {

namespace {

bool is_tag_name(std::string_view name) {
  if (name.empty() || !ascii::is_alpha(name.front())) return false;
  for (char c : name) {
    if (!ascii::is_alnum(c) && c != '_') return false;
  }
  return true;
}

// RFC 6376 §3.2: visible ASCII but ';', with folding white space inside. A UTF-8 local-part in i=
// comes with RFC 6532, so octets above ASCII pass here; each tag's own grammar judges them.
bool is_tag_value(std::string_view value) {
  for (char c : value) {
    const auto u = static_cast<unsigned char>(c);
    if (u == 0x7f || (u < 0x20 && c != '\t' && c != '\r' && c != '\n')) return false;
  }
  return true;
}

}  // namespace

Result<TagList> TagList::parse(std::string_view text, Strictness strictness) {
  TagList list;
  const bool strict = strictness == Strictness::strict;
  std::size_t at = 0;
  while (at <= text.size()) {
    const auto end = std::min(text.find(';', at), text.size());
    const auto piece = ascii::trim(text.substr(at, end - at));
    const bool last = end == text.size();
    at = end + 1;
    if (piece.empty()) {
      if (strict && !last) return fail(Errc::invalid, "an empty tag");
      continue;
    }
    const auto equals = piece.find('=');
    const auto name = ascii::trim(piece.substr(0, equals));
    const bool readable = equals != std::string_view::npos && is_tag_name(name) &&
                          is_tag_value(piece.substr(equals + 1));
    if (!readable) {
      if (strict) return fail(Errc::invalid, "a malformed tag");
      continue;
    }
    if (list.tags_.empty()) list.first_ = name;
    if (list.tags_.size() >= kMaxTags) return fail(Errc::invalid, "too many tags");
    const bool fresh = list.tags_.emplace(name, ascii::trim(piece.substr(equals + 1))).second;
    if (!fresh) return fail(Errc::invalid, "a duplicate tag");
  }
  return list;
}

std::optional<std::string_view> TagList::get(std::string_view name) const {
  const auto found = tags_.find(name);
  if (found == tags_.end()) return std::nullopt;
  return std::string_view(found->second);
}

std::string without_space(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    if (!ascii::is_wsp(c) && c != '\r' && c != '\n') out += c;
  }
  return out;
}

}  // namespace postern::dkim
