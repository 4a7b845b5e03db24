// The stored form of an Index. Version 1: a version byte, then the fields in the order of
// encode_index. A later version reads all earlier ones.
#include <algorithm>

#include "message/codec.hpp"
#include "message/index.hpp"

namespace postern::message {

namespace {

constexpr std::uint64_t kVersion = 1;
constexpr std::int64_t kNoZone = 24 * 60;  // zones are stored shifted, so that they aren't negative

// --- writing ---

void put_optional(Encoder& out, const std::optional<std::string>& value) {
  out.number(value ? 1 : 0);
  if (value) out.text(*value);
}

void put_parameters(Encoder& out, const Parameters& list) {
  out.number(list.size());
  for (const Parameter& parameter : list) {
    out.text(parameter.name);
    out.text(parameter.value);
  }
}

void put_strings(Encoder& out, const std::vector<std::string>& list) {
  out.number(list.size());
  for (const std::string& value : list) out.text(value);
}

void put_addresses(Encoder& out, const std::vector<Address>& list) {
  out.number(list.size());
  for (const Address& address : list) {
    out.number(static_cast<std::uint64_t>(address.kind));
    for (const auto* text : {&address.name, &address.route, &address.local, &address.domain})
      out.text(*text);
  }
}

void put_envelope(Encoder& out, const Envelope& e) {
  for (const auto* value : {&e.date, &e.subject, &e.in_reply_to, &e.message_id})
    put_optional(out, *value);
  for (const auto* list : {&e.from, &e.sender, &e.reply_to, &e.to, &e.cc, &e.bcc})
    put_addresses(out, *list);
}

void put_part(Encoder& out, const Part& part) {
  out.number(static_cast<std::uint64_t>(part.kind));
  out.number(part.parent);
  out.number(part.header_begin);
  out.number(part.body_begin - part.header_begin);
  out.number(part.octets());
  out.number(part.lines);
  out.text(part.type.type);
  out.text(part.type.subtype);
  put_parameters(out, part.type.parameters);
  out.text(part.encoding);
  for (const auto* value : {&part.id, &part.description, &part.md5, &part.location})
    put_optional(out, *value);
  out.text(part.disposition.kind);
  put_parameters(out, part.disposition.parameters);
  put_strings(out, part.language);
  out.number(part.envelope ? 1 : 0);
  if (part.envelope) put_envelope(out, *part.envelope);
}

// --- reading ---

std::optional<std::string> get_optional(Decoder& in) {
  if (in.number(1) == 0) return std::nullopt;
  return in.text();
}

Parameters get_parameters(Decoder& in) {
  Parameters list(in.count(kMaxParameters));
  for (Parameter& parameter : list) {
    parameter.name = in.text();
    parameter.value = in.text();
  }
  return list;
}

std::vector<std::string> get_strings(Decoder& in, std::size_t limit) {
  std::vector<std::string> list(in.count(limit));
  for (std::string& value : list) value = in.text();
  return list;
}

std::vector<Address> get_addresses(Decoder& in) {
  std::vector<Address> list(in.count(kMaxAddresses + 1));  // a group's end may come on top
  for (Address& address : list) {
    address.kind = static_cast<Address::Kind>(in.number(2));
    for (auto* text : {&address.name, &address.route, &address.local, &address.domain})
      *text = in.text();
  }
  return list;
}

Envelope get_envelope(Decoder& in) {
  Envelope e;
  for (auto* value : {&e.date, &e.subject, &e.in_reply_to, &e.message_id})
    *value = get_optional(in);
  for (auto* list : {&e.from, &e.sender, &e.reply_to, &e.to, &e.cc, &e.bcc})
    *list = get_addresses(in);
  return e;
}

Part get_part(Decoder& in, std::uint64_t size) {
  constexpr std::size_t most_languages = 50;
  Part part;
  part.kind = static_cast<Part::Kind>(in.number(2));
  part.parent = static_cast<std::uint32_t>(in.number(kMaxParts));
  part.header_begin = in.number(size);
  part.body_begin = part.header_begin + in.number(size - part.header_begin);
  part.body_end = part.body_begin + in.number(size - part.body_begin);
  part.lines = static_cast<std::uint32_t>(in.number(0xffffffffU));
  part.type.type = in.text();
  part.type.subtype = in.text();
  part.type.parameters = get_parameters(in);
  part.encoding = in.text();
  for (auto* value : {&part.id, &part.description, &part.md5, &part.location})
    *value = get_optional(in);
  part.disposition.kind = in.text();
  part.disposition.parameters = get_parameters(in);
  part.language = get_strings(in, most_languages);
  if (in.number(1) == 1) part.envelope = std::make_shared<const Envelope>(get_envelope(in));
  return part;
}

/// Links a part to its parent; false when the two don't fit.
bool attach(PartTree& tree, Part part) {
  const auto index = static_cast<std::uint32_t>(tree.parts.size());
  if (index > 0) {
    if (part.parent >= index) return false;
    Part& parent = tree.parts[part.parent];
    if (parent.kind == Part::Kind::leaf) return false;
    if (parent.kind == Part::Kind::message && !parent.children.empty()) return false;
    if (part.header_begin < parent.body_begin || part.body_end > parent.body_end) return false;
    parent.children.push_back(index);
  } else if (part.parent != 0 || part.header_begin != 0) {
    return false;
  }
  tree.parts.push_back(std::move(part));
  return true;
}

bool consistent(const PartTree& tree) {
  if (tree.parts.empty()) return false;
  return std::ranges::all_of(tree.parts, [&](const Part& part) {
    const auto index = static_cast<std::size_t>(&part - tree.parts.data());
    const bool leaf = part.kind == Part::Kind::leaf;
    const bool root = index == 0 || tree.parts[part.parent].kind == Part::Kind::message;
    return leaf == part.children.empty() && root == (part.envelope != nullptr);
  });
}

void get_tree(Decoder& in, PartTree& tree) {
  tree.size = in.number(std::uint64_t{1} << 40U);
  tree.degraded = in.number(1) == 1;
  const std::size_t parts = in.count(kMaxParts + 1);
  for (std::size_t i = 0; i < parts && in.ok(); ++i) {
    Part part = get_part(in, tree.size);
    if (!in.ok() || !attach(tree, std::move(part))) return in.fail();
  }
  if (in.ok() && !consistent(tree)) in.fail();
}

}  // namespace

std::string encode_index(const Index& index) {
  Encoder out;
  out.number(kVersion);
  out.number(index.tree.size);
  out.number(index.tree.degraded ? 1 : 0);
  out.number(index.tree.parts.size());
  for (const Part& part : index.tree.parts) put_part(out, part);
  out.number(index.sent ? 1 : 0);
  if (index.sent) {
    // Zig-zag: dates before 1970 exist.
    const std::int64_t micros = to_micros(index.sent->time);
    out.number(static_cast<std::uint64_t>(micros) << 1U ^ (micros < 0 ? ~std::uint64_t{0} : 0));
    out.number(static_cast<std::uint64_t>(index.sent->zone + kNoZone));
  }
  out.text(index.message_id);
  put_strings(out, index.references);
  out.text(index.base_subject);
  out.number(index.is_reply ? 1 : 0);
  return out.take();
}

Result<Index> decode_index(std::string_view stored) {
  if (stored.size() > kMaxIndexSize) return fail(Errc::corrupt, "the stored index is too large");
  Decoder in(stored);
  if (in.number() != kVersion)
    return fail(Errc::corrupt, "the stored index has an unknown version");
  Index index;
  get_tree(in, index.tree);
  if (in.number(1) == 1) {
    const std::uint64_t zigzag = in.number();
    const std::uint64_t micros = zigzag >> 1U ^ ((zigzag & 1U) != 0 ? ~std::uint64_t{0} : 0);
    const auto zone = static_cast<int>(in.number(2 * kNoZone));
    index.sent =
        Date{from_micros(static_cast<std::int64_t>(micros)), zone - static_cast<int>(kNoZone)};
  }
  index.message_id = in.text();
  index.references = get_strings(in, kMaxReferences);
  index.base_subject = in.text();
  index.is_reply = in.number(1) == 1;
  if (!in.ok() || !in.at_end()) return fail(Errc::corrupt, "the stored index is damaged");
  return index;
}

}  // namespace postern::message
