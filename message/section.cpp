// Section numbers (RFC 9051 §6.4.5.1) to parts and byte ranges.
#include "message/index.hpp"

namespace postern::message {

namespace {

const Part* child(const PartTree& tree, const Part& part, std::uint32_t number) {
  if (number == 0 || number > part.children.size()) return nullptr;
  return &tree.parts[part.children[number - 1]];
}

/// The root part of the message in a message/rfc822 part.
const Part& inner_root(const PartTree& tree, const Part& part) {
  return tree.parts[part.children.front()];
}

Range header_of(const Part& part) {
  return {part.header_begin, part.body_begin - part.header_begin};
}
Range body_of(const Part& part) { return {part.body_begin, part.octets()}; }

/// Sections of a message as a whole: the stored one, or the one inside a message/rfc822 part.
std::optional<Range> message_section(const Part& root, std::uint64_t end, SectionText text) {
  switch (text) {
    case SectionText::all: return Range{root.header_begin, end - root.header_begin};
    case SectionText::header: return header_of(root);
    case SectionText::text: return Range{root.body_begin, end - root.body_begin};
    case SectionText::mime: return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

const Part* find_part(const PartTree& tree, std::span<const std::uint32_t> path) {
  if (tree.parts.empty()) return nullptr;
  const Part* part = &tree.parts.front();
  // True where `part` is a message's root that hasn't been numbered yet: of a non-multipart
  // message, part 1 is the root itself.
  bool at_root = true;
  for (const std::uint32_t number : path) {
    if (!at_root && part->kind == Part::Kind::message) {
      part = &inner_root(tree, *part);
      at_root = true;
    }
    if (at_root && part->kind != Part::Kind::multipart) {
      if (number != 1) return nullptr;
    } else {
      part = child(tree, *part, number);
      if (part == nullptr) return nullptr;
    }
    at_root = false;
  }
  return part;
}

std::optional<Range> find_section(const PartTree& tree, std::span<const std::uint32_t> path,
                                  SectionText text) {
  const Part* part = find_part(tree, path);
  if (part == nullptr) return std::nullopt;
  if (path.empty()) return message_section(*part, tree.size, text);
  if (text == SectionText::all) return body_of(*part);
  if (text == SectionText::mime) return header_of(*part);
  // HEADER and TEXT of a numbered part exist for message/rfc822 only.
  if (part->kind != Part::Kind::message) return std::nullopt;
  return message_section(inner_root(tree, *part), part->body_end, text);
}

}  // namespace postern::message
