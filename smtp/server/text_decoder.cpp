#include "smtp/server/text_decoder.hpp"

#include <cstring>

#include "smtp/server/line_scan.hpp"

namespace postern::smtp {

std::string_view to_string(Fault fault) {
  switch (fault) {
    case Fault::none: return "none";
    case Fault::bare_cr: return "bare CR";
    case Fault::bare_lf: return "bare LF";
    case Fault::nul: return "NUL";
    case Fault::line_too_long: return "line too long";
    case Fault::message_too_large: return "message too large";
    case Fault::header_too_large: return "header too large";
    case Fault::too_many_fields: return "too many header fields";
  }
  return "unknown";
}

// Where a pass over one slice stands: octets are read at `read` and kept at `write` <= `read`.
struct TextDecoder::Cursor {
  char* read;
  char* write;
  char* end;
};

// Moves `octets` of the current line from read to write and counts them.
void TextDecoder::take(Cursor& at, std::size_t octets) {
  if (at.write != at.read) std::memmove(at.write, at.read, octets);
  at.write += octets;
  at.read += octets;
  size_ += octets;
  if (size_ > limits_.message) set(Fault::message_too_large);
  if (in_header_) {
    header_ += octets;
    if (header_ > limits_.header) set(Fault::header_too_large);
  }
}

void TextDecoder::end_line() {
  if (column_ == 0) in_header_ = false;
  column_ = 0;
  line_start_ = true;
}

// The rest of a line, or what of it the slice holds.
void TextDecoder::take_line(Cursor& at) {
  if (line_start_) {
    line_start_ = false;
    const char first = *at.read;
    if (in_header_ && first != ' ' && first != '\t' && first != '\r' && ++fields_ > limits_.fields)
      set(Fault::too_many_fields);
  }
  char* const special = find_line_special(at.read, at.end);
  const auto text = static_cast<std::size_t>(special - at.read);
  column_ += text;
  if (column_ > limits_.line) set(Fault::line_too_long);
  if (special == at.end) {
    take(at, text);
  } else if (*special != '\r') {
    set(*special == '\n' ? Fault::bare_lf : Fault::nul);
    take(at, text + 1);
    ++column_;
  } else if (special + 1 == at.end) {
    take(at, text + 1);
    pending_cr_ = true;
  } else if (special[1] == '\n') {
    take(at, text + 2);
    end_line();
  } else {
    take(at, text + 1);
    ++column_;
    set(Fault::bare_cr);
  }
}

// The slice before ended with a CR.
void TextDecoder::resume_cr(Cursor& at) {
  pending_cr_ = false;
  if (*at.read == '\n') {
    take(at, 1);
    end_line();
    return;
  }
  ++column_;
  set(Fault::bare_cr);
}

// After a '.' that began a line (it is not part of the message: RFC 5321 §4.5.2). True: the end.
bool TextDecoder::resume_dot(Cursor& at) {
  const char next = *at.read;
  if (dot_ == Dot::seen && next == '\r') {
    dot_ = Dot::seen_cr;
    ++at.read;
    return false;
  }
  const Dot before = dot_;
  dot_ = Dot::none;
  if (before == Dot::seen) {
    take_line(at);
    return false;
  }
  if (next == '\n') {
    ++at.read;
    return true;
  }
  // ".\r" and something else: the end it pretends to be isn't one.
  set(Fault::bare_cr);
  line_start_ = false;
  ++column_;
  return false;
}

TextDecoder::Piece TextDecoder::piece(const Cursor& at, std::span<char> input, bool end) const {
  Piece result;
  result.consumed = static_cast<std::size_t>(at.read - input.data());
  if (fault_ == Fault::none) {
    result.text = {input.data(), static_cast<std::size_t>(at.write - input.data())};
  }
  result.end = end;
  return result;
}

TextDecoder::Piece TextDecoder::next_data(std::span<char> input) {
  Cursor at{input.data(), input.data(), input.data() + input.size()};
  if (input.empty()) return {};
  bool end = false;
  while (!end && at.read < at.end) {
    if (dot_ != Dot::none) {
      end = resume_dot(at);
    } else if (pending_cr_) {
      resume_cr(at);
    } else if (line_start_ && *at.read == '.') {
      dot_ = Dot::seen;
      ++at.read;
    } else {
      take_line(at);
    }
  }
  return piece(at, input, end);
}

TextDecoder::Piece TextDecoder::next_chunk(std::span<char> input) {
  Cursor at{input.data(), input.data(), input.data() + input.size()};
  if (input.empty()) return {};
  while (at.read < at.end) {
    if (pending_cr_) {
      resume_cr(at);
    } else {
      take_line(at);
    }
  }
  return piece(at, input, false);
}

void TextDecoder::finish() {
  if (pending_cr_) set(Fault::bare_cr);
  pending_cr_ = false;
}

}  // namespace postern::smtp
