#include "message/header.hpp"

#include <algorithm>

#include "core/ascii.hpp"

namespace postern::message {

namespace {

/// End of the line that begins at `from`: the offset after its LF, or the text's end.
std::size_t line_end(std::string_view text, std::size_t from) {
  const auto lf = text.find('\n', from);
  return lf == std::string_view::npos ? text.size() : lf + 1;
}

std::string_view without_line_end(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

bool is_blank_line(std::string_view text, std::size_t at) {
  if (text[at] == '\n') return true;
  return text[at] == '\r' && at + 1 < text.size() && text[at + 1] == '\n';
}

/// Length of the field's name in a line, or 0 when the line isn't a field.
std::size_t name_length(std::string_view line) {
  std::size_t end = 0;
  while (end < line.size() && line[end] > ' ' && line[end] < 0x7f && line[end] != ':') ++end;
  std::size_t colon = end;
  while (colon < line.size() && ascii::is_wsp(line[colon])) ++colon;
  return colon < line.size() && line[colon] == ':' ? end : 0;
}

}  // namespace

std::optional<HeaderField> HeaderReader::next() {
  if (position_ >= text_.size() || is_blank_line(text_, position_)) return std::nullopt;
  HeaderField field;
  field.offset = position_;
  std::size_t end = line_end(text_, position_);
  // The first line is taken even if it begins with space: there is nothing that it could continue.
  while (end < text_.size() && ascii::is_wsp(text_[end])) end = line_end(text_, end);
  field.size = end - position_;
  const std::string_view whole = without_line_end(text_.substr(field.offset, field.size));
  if (const std::size_t length = name_length(whole); length > 0) {
    field.name = whole.substr(0, length);
    field.value = whole.substr(whole.find(':', length) + 1);
  } else {
    field.value = whole;
  }
  position_ = end;
  return field;
}

HeaderSplit split_header(std::string_view message) {
  std::size_t at = 0;
  while (at < message.size() && !is_blank_line(message, at)) at = line_end(message, at);
  if (at < message.size()) at = line_end(message, at);
  return {message.substr(0, at), message.substr(at)};
}

HeaderBlock HeaderBlock::parse(std::string_view text) {
  HeaderBlock block;
  HeaderReader reader(text.substr(0, kMaxHeaderSize));
  while (auto field = reader.next()) {
    if (block.fields_.size() == kMaxHeaderFields) {
      block.truncated_ = true;
      break;
    }
    block.fields_.push_back(*field);
  }
  std::size_t end = reader.position();
  if (block.truncated_ || (end == kMaxHeaderSize && text.size() > kMaxHeaderSize)) {
    block.truncated_ = true;
    end = split_header(text).header.size();
  } else if (end < text.size()) {
    end = line_end(text, end);
  }
  block.size_ = end;
  return block;
}

const HeaderField* HeaderBlock::first(std::string_view name) const {
  const auto found = std::ranges::find_if(
      fields_, [&](const HeaderField& field) { return ascii::iequals(field.name, name); });
  return found == fields_.end() || name.empty() ? nullptr : &*found;
}

const HeaderField* HeaderBlock::last(std::string_view name) const {
  for (auto field = fields_.rbegin(); field != fields_.rend(); ++field) {
    if (!name.empty() && ascii::iequals(field->name, name)) return &*field;
  }
  return nullptr;
}

std::size_t HeaderBlock::count(std::string_view name) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      fields_, [&](const HeaderField& field) { return ascii::iequals(field.name, name); }));
}

std::optional<std::string> HeaderBlock::text(std::string_view name) const {
  const HeaderField* field = first(name);
  if (field == nullptr) return std::nullopt;
  return unfold(field->value);
}

std::size_t count_fields(std::string_view header, std::string_view name) {
  HeaderReader reader(header);
  std::size_t count = 0;
  while (const auto field = reader.next()) {
    if (ascii::iequals(field->name, name)) ++count;
  }
  return count;
}

std::string unfold(std::string_view raw_value) {
  raw_value = ascii::trim(raw_value);
  std::string out;
  out.reserve(raw_value.size());
  for (std::size_t i = 0; i < raw_value.size(); ++i) {
    const char c = raw_value[i];
    if (c == '\n') continue;
    if (c == '\r' && i + 1 < raw_value.size() && raw_value[i + 1] == '\n') continue;
    out += c;
  }
  return out;
}

bool is_field_name(std::string_view name) {
  constexpr std::size_t longest = 76;
  return !name.empty() && name.size() <= longest &&
         std::ranges::all_of(name, [](char c) { return c > ' ' && c < 0x7f && c != ':'; });
}

}  // namespace postern::message
