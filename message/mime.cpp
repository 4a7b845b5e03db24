#include "message/mime.hpp"

#include <algorithm>
#include <utility>

#include "core/ascii.hpp"
#include "message/part_fields.hpp"
#include "message/transfer_encoding.hpp"

namespace postern::message {

namespace {

/// Bytes of a body line that are kept to recognise a boundary: "--", boundary, "--", some white
/// space.
constexpr std::size_t kLineHead = kMaxBoundary + 64;

enum class Delimiter : std::uint8_t { next, close };

struct Line {
  std::string_view head;  ///< the line without its end; in bodies at most kLineHead bytes of it
  bool whole = true;      ///< head is all of it
  std::uint64_t begin = 0;
  std::uint64_t end = 0;  ///< after the line end
  unsigned ending = 0;    ///< bytes of the line end: 2 (CRLF), 1 (LF), 0 (end of the message)
};

/// A part that has begun and not ended. Containers stay below their children on the stack.
struct Open {
  std::uint32_t part = 0;
  std::uint64_t line_begin = 0;  ///< line ends before the part's body
  std::string boundary;          ///< empty: not a multipart, or its closing boundary was seen
};

std::string boundary_of(const ContentType& type) {
  auto raw = find_parameter(type.parameters, "boundary");
  std::string boundary;
  if (raw) {
    boundary = *raw;
  } else {
    const Parameters decoded = decode_parameters(type.parameters);
    boundary = find_parameter(decoded, "boundary").value_or(std::string_view());
  }
  while (!boundary.empty() && ascii::is_wsp(boundary.back())) boundary.pop_back();
  if (boundary.size() > kMaxBoundary) boundary.clear();
  return boundary;
}

std::size_t address_count(const Envelope& e) {
  return e.from.size() + e.sender.size() + e.reply_to.size() + e.to.size() + e.cc.size() +
         e.bcc.size();
}

}  // namespace

struct MimeParser::Impl {
  PartTree tree;
  std::vector<Open> stack;
  std::string header;  ///< of the part that is being read, while in_header
  std::string root_header;
  std::string partial;  ///< the current line as far as it came
  std::uint64_t partial_size = 0;
  char last_byte = 0;          ///< of the partial line
  std::uint64_t position = 0;  ///< where the current line begins
  std::uint64_t lines = 0;     ///< line ends seen
  unsigned previous_ending = 0;
  std::size_t total_header = 0;
  std::size_t total_addresses = 0;
  bool in_header = true;

  Impl() { begin_part(0, 0); }

  void feed(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto lf = bytes.find('\n');
      if (lf == std::string_view::npos) return keep(bytes);
      if (partial_size == 0) {
        on_line(bytes.substr(0, lf + 1), lf + 1);
      } else {
        const char before = lf > 0 ? bytes[lf - 1] : last_byte;
        keep(bytes.substr(0, lf));
        finish_partial(before == '\r' ? 2U : 1U);
      }
      bytes.remove_prefix(lf + 1);
    }
  }

  void keep(std::string_view bytes) {
    if (bytes.empty()) return;
    const std::size_t limit = in_header ? kMaxPartHeader : kLineHead;
    if (partial.size() < limit) partial += bytes.substr(0, limit - partial.size());
    partial_size += bytes.size();
    last_byte = bytes.back();
  }

  void finish_partial(unsigned ending) {
    // partial_size counts all but the LF; a CR before it is part of the line end.
    const std::uint64_t size = partial_size + (ending > 0 ? 1 : 0);
    const std::uint64_t content = size - ending;
    std::string text = std::exchange(partial, {});
    const bool whole = text.size() >= content;
    if (whole) text.resize(static_cast<std::size_t>(content));
    partial_size = 0;
    dispatch({text, whole, position, position + size, ending});
  }

  /// A whole line within one piece, its LF included.
  void on_line(std::string_view line, std::size_t size) {
    line.remove_suffix(1);
    unsigned ending = 1;
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
      ending = 2;
    }
    dispatch({line, true, position, position + size, ending});
  }

  void dispatch(const Line& line) {
    position = line.end;
    if (!line.head.starts_with("--") || !on_delimiter(line)) {
      if (in_header) {
        on_header_line(line);
      } else if (line.ending > 0) {
        ++lines;
      }
    }
    previous_ending = line.ending;
  }

  // --- header ---

  void on_header_line(const Line& line) {
    if (line.ending > 0) ++lines;
    if (line.head.empty() && line.whole) return end_header(line.end);
    const std::size_t size = line.head.size() + 2;
    if (!line.whole || header.size() + size > kMaxPartHeader ||
        total_header + size > kMaxTotalHeader) {
      tree.degraded = true;
      return;
    }
    header += line.head;
    header += line.ending == 1 ? "\n" : "\r\n";
    total_header += size;
  }

  void begin_part(std::uint32_t parent, std::uint64_t at) {
    Part part;
    part.parent = parent;
    part.header_begin = part.body_begin = part.body_end = at;
    const auto index = static_cast<std::uint32_t>(tree.parts.size());
    if (index != 0) tree.parts[parent].children.push_back(index);
    tree.parts.push_back(std::move(part));
    stack.push_back({index, lines, {}});
    header.clear();
    in_header = true;
  }

  [[nodiscard]] bool is_message_root(const Part& part, std::uint32_t index) const {
    return index == 0 || tree.parts[part.parent].kind == Part::Kind::message;
  }

  void end_header(std::uint64_t body_begin) {
    in_header = false;
    const std::uint32_t index = stack.back().part;
    Part& part = tree.parts[index];
    const ContentType& above = tree.parts[part.parent].type;
    const bool digest = index != 0 && above.is("multipart", "digest");
    read_part_fields(header, digest ? DefaultType::digest : DefaultType::text, part);
    if (is_message_root(part, index)) part.envelope = make_envelope();
    if (index == 0) root_header = header;
    part.body_begin = body_begin;
    stack.back().line_begin = lines;
    open_container(index);
  }

  std::shared_ptr<const Envelope> make_envelope() {
    auto envelope = std::make_shared<Envelope>(parse_envelope(header));
    total_addresses += address_count(*envelope);
    if (total_addresses > kMaxEnvelopeAddresses) {
      tree.degraded = true;
      for (auto* list : {&envelope->from, &envelope->sender, &envelope->reply_to, &envelope->to,
                         &envelope->cc, &envelope->bcc}) {
        list->clear();
      }
    }
    return envelope;
  }

  void open_container(std::uint32_t index) {
    Part& part = tree.parts[index];
    const bool multipart = part.type.type == "multipart";
    const bool message = part.type.type == "message" &&
                         (part.type.subtype == "rfc822" || part.type.subtype == "global") &&
                         parse_transfer_encoding(part.encoding) == TransferEncoding::identity;
    if (!multipart && !message) return;
    if (stack.size() > kMaxDepth || tree.parts.size() >= kMaxParts) {
      part.type = {"application", "octet-stream", {}};
      tree.degraded = true;
    } else if (message) {
      part.kind = Part::Kind::message;
      begin_part(index, part.body_begin);
    } else {
      stack.back().boundary = boundary_of(part.type);
      part.kind = Part::Kind::multipart;  // until it turns out to have no parts
    }
  }

  // --- boundaries ---

  bool on_delimiter(const Line& line) {
    const std::string_view text = line.head.substr(2);
    for (std::size_t level = stack.size(); level-- > 0;) {
      const std::string& boundary = stack[level].boundary;
      if (boundary.empty() || !text.starts_with(boundary)) continue;
      std::string_view tail = text.substr(boundary.size());
      const bool close = tail.starts_with("--");
      if (close) tail.remove_prefix(2);
      if (!tail.empty() && !ascii::is_wsp(tail.front())) continue;
      take_delimiter(level, line, close ? Delimiter::close : Delimiter::next);
      return true;
    }
    return false;
  }

  void take_delimiter(std::size_t level, const Line& line, Delimiter delimiter) {
    if (in_header) end_header_early(line);
    // The line break before the boundary belongs to it.
    close_above(level, line.begin - previous_ending, lines - (previous_ending > 0 ? 1 : 0));
    if (line.ending > 0) ++lines;
    if (delimiter == Delimiter::close) {
      stack[level].boundary.clear();
    } else if (tree.parts.size() >= kMaxParts) {
      stack[level].boundary.clear();
      tree.degraded = true;
    } else {
      begin_part(stack[level].part, line.end);
    }
  }

  /// A boundary (or the end) where a blank line was due: the part has no body, perhaps no header.
  void end_header_early(const Line& line) {
    in_header = false;
    end_header(line.begin);
    if (in_header)
      end_header_early(line);  // a message/rfc822 part without its message: once, see below
  }

  void close_above(std::size_t level, std::uint64_t end, std::uint64_t end_lines) {
    while (stack.size() > level + 1) {
      close_part(stack.back(), end, end_lines);
      stack.pop_back();
    }
  }

  void close_part(const Open& open, std::uint64_t end, std::uint64_t end_lines) {
    Part& part = tree.parts[open.part];
    // An empty body ends where it begins, even if the line break before the boundary belongs to its
    // header.
    part.body_end = std::max(part.body_begin, end);
    if (!part.children.empty()) {
      part.body_end = std::max(part.body_end, tree.parts[part.children.back()].body_end);
    }
    part.lines =
        static_cast<std::uint32_t>(end_lines > open.line_begin ? end_lines - open.line_begin : 0);
    if (part.kind == Part::Kind::multipart && part.children.empty()) {
      part.kind = Part::Kind::leaf;
      part.type = default_content_type();
    }
  }

  PartTree finish() {
    if (partial_size > 0) finish_partial(0);
    if (in_header) end_header_early({{}, true, position, position, 0});
    while (!stack.empty()) {
      close_part(stack.back(), position, lines);
      stack.pop_back();
    }
    tree.size = position;
    return std::move(tree);
  }
};

MimeParser::MimeParser() : impl_(std::make_unique<Impl>()) {}
MimeParser::~MimeParser() = default;
MimeParser::MimeParser(MimeParser&&) noexcept = default;
MimeParser& MimeParser::operator=(MimeParser&&) noexcept = default;

void MimeParser::feed(std::string_view bytes) { impl_->feed(bytes); }
PartTree MimeParser::finish() { return impl_->finish(); }
std::string_view MimeParser::root_header() const { return impl_->root_header; }

PartTree parse_parts(std::string_view message) {
  MimeParser parser;
  parser.feed(message);
  return parser.finish();
}

PartTree with_header(PartTree tree, std::string_view header) {
  auto& root = tree.parts.front();
  const auto before = root.body_begin;
  const auto moved = [&](std::uint64_t offset) { return offset - before + header.size(); };
  for (Part& part : tree.parts) {
    if (&part != &root) part.header_begin = moved(part.header_begin);
    part.body_begin = moved(part.body_begin);
    part.body_end = moved(part.body_end);
  }
  root.envelope = parse_parts(header).parts.front().envelope;
  tree.size = moved(tree.size);
  return tree;
}

}  // namespace postern::message
