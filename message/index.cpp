#include "message/index.hpp"

#include <algorithm>

#include "message/header.hpp"

namespace postern::message {

namespace {

/// RFC 5256 §3: References; without one, the first message id of In-Reply-To.
std::vector<std::string> thread_references(const HeaderBlock& block) {
  std::vector<std::string> ids;
  if (const HeaderField* field = block.first("References")) ids = parse_message_ids(field->value);
  if (ids.empty()) {
    if (const HeaderField* field = block.first("In-Reply-To"))
      ids = parse_message_ids(field->value);
    if (ids.size() > 1) ids.resize(1);
  }
  // The newest are at the end; the oldest one names the thread.
  if (ids.size() > kMaxReferences) {
    ids.erase(ids.begin() + 1, ids.end() - static_cast<std::ptrdiff_t>(kMaxReferences - 1));
  }
  return ids;
}

}  // namespace

const Envelope& Index::envelope() const {
  static const Envelope none;
  const bool present = !tree.parts.empty() && tree.parts.front().envelope;
  return present ? *tree.parts.front().envelope : none;
}

Index make_index(PartTree tree, std::string_view header) {
  Index index;
  index.tree = std::move(tree);
  const HeaderBlock block = HeaderBlock::parse(header);
  if (const HeaderField* date = block.first("Date")) index.sent = parse_date(date->value);
  if (const HeaderField* id = block.first("Message-ID")) {
    auto ids = parse_message_ids(id->value);
    if (!ids.empty()) index.message_id = std::move(ids.front());
  }
  index.references = thread_references(block);
  if (const HeaderField* subject = block.first("Subject")) {
    BaseSubject base = base_subject(subject->value);
    index.base_subject = std::move(base.text);
    index.is_reply = base.is_reply;
  }
  return index;
}

Index make_index(std::string_view message) {
  MimeParser parser;
  parser.feed(message);
  PartTree tree = parser.finish();
  return make_index(std::move(tree), parser.root_header());
}

}  // namespace postern::message
