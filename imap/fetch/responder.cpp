#include "imap/fetch/responder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "core/log.hpp"
#include "imap/fetch/section.hpp"
#include "imap/fetch/structure.hpp"
#include "imap/wire/encoder.hpp"
#include "message/mime.hpp"

namespace postern::imap {

namespace {
using Kind = FetchItem::Kind;

// The most of a header that HEADER.FIELDS looks through; fields beyond aren't understood anywhere
// else.
constexpr std::uint64_t kMaxHeader = message::kMaxPartHeader;

// RFC 3501 §9: no NUL in a literal. Same length, so that sizes and offsets stay true.
void mask_nul(std::string& bytes) { std::ranges::replace(bytes, '\0', '\x80'); }
}  // namespace

FetchNeeds needs_of(const std::vector<FetchItem>& items) {
  FetchNeeds needs;
  for (const auto& item : items) {
    switch (item.kind) {
      case Kind::uid:
      case Kind::flags: break;
      case Kind::internal_date:
      case Kind::size: needs.dates = true; break;
      default: needs.index = true; break;
    }
    if (item.sets_seen()) needs.seen = true;
  }
  return needs;
}

void FetchResponder::separate() {
  if (!first_) session_.out() += ' ';
  first_ = false;
}

Task<Result<bool>> FetchResponder::respond(std::uint32_t sequence, const MessageData* data) {
  const auto begin = session_.out().size();
  const auto flushes = session_.connection().flushes();
  first_ = true;
  fmt::format_to(std::back_inserter(session_.out()), "* {} FETCH (", sequence);
  bool flags_asked = false;
  bool uid_asked = false;
  for (const auto& item : command_.items) {
    flags_asked = flags_asked || item.kind == Kind::flags;
    uid_asked = uid_asked || item.kind == Kind::uid;
  }
  // RFC 3501 §6.4.8: a UID command's responses carry the uid. Flags that changed (\Seen!) are told
  // too.
  const bool changed = session_.view().take_flags_change(sequence);
  if (command_.numbering == Numbering::uid && !uid_asked) {
    write_plain({Kind::uid, {}, {}}, sequence, data);
  }
  if (changed && !flags_asked) write_plain({Kind::flags, {}, {}}, sequence, data);
  for (const auto& item : command_.items) {
    if (!item.reads_body()) {
      write_plain(item, sequence, data);
      continue;
    }
    separate();
    append_item_name(session_.out(), item);
    session_.out() += ' ';
    const auto written = co_await write_section(item, *data);
    if (!written) co_return std::unexpected(written.error());
    if (*written == Written::yes) continue;
    if (session_.connection().flushes() != flushes) {
      co_return fail(Errc::corrupt, "a body could not be read to its end");
    }
    session_.out().resize(begin);
    co_return false;
  }
  session_.out() += ")\r\n";
  auto flushed = co_await session_.connection().flush_if_large();
  if (!flushed) co_return std::unexpected(flushed.error());
  co_return true;
}

void FetchResponder::write_plain(const FetchItem& item, std::uint32_t sequence,
                                 const MessageData* data) {
  auto& out = session_.out();
  const auto& view = session_.view();
  auto to = std::back_inserter(out);
  separate();
  switch (item.kind) {
    case Kind::uid: fmt::format_to(to, "UID {}", view.uid_at(sequence)); return;
    case Kind::flags:
      out += "FLAGS ";
      append_flags(out, view.flags_at(sequence),
                   view.recent_at(sequence) ? Recent::yes : Recent::no);
      return;
    case Kind::internal_date:
      out += "INTERNALDATE ";
      append_date_time(out, data->internal_date);
      return;
    case Kind::size: fmt::format_to(to, "RFC822.SIZE {}", data->size); return;
    case Kind::envelope:
      out += "ENVELOPE ";
      append_envelope(out, data->index->envelope());
      return;
    case Kind::body:
      out += "BODY ";
      append_body(out, data->index->tree, 0, ExtensionData::leave_out);
      return;
    case Kind::body_structure:
      out += "BODYSTRUCTURE ";
      append_body(out, data->index->tree, 0, ExtensionData::give);
      return;
    default: return;  // sections are written by write_section()
  }
}

Task<Result<FetchResponder::Written>> FetchResponder::write_section(const FetchItem& item,
                                                                    const MessageData& data) {
  const auto range = section_range(*data.index, item.section);
  if (!range) {
    session_.out() += "NIL";
    co_return Written::yes;
  }
  const bool fields = item.section.text == Section::Text::header_fields ||
                      item.section.text == Section::Text::header_fields_not;
  if (fields) co_return co_await write_fields(item, data, *range);
  const auto part = clip(range->length, item.partial);
  co_return co_await stream(data.uid, {range->offset + part.offset, part.length});
}

Task<Result<FetchResponder::Written>> FetchResponder::write_fields(const FetchItem& item,
                                                                   const MessageData& data,
                                                                   message::Range header) {
  std::string bytes;
  const auto wanted = std::min(header.length, kMaxHeader);
  while (bytes.size() < wanted) {
    auto chunk = co_await session_.account().read_body(
        session_.view().id(), data.uid, header.offset + bytes.size(),
        std::min<std::uint64_t>(kReadChunk, wanted - bytes.size()));
    if (!chunk || chunk->empty()) co_return Written::unreadable;
    bytes += *chunk;
  }
  auto fields = select_fields(bytes, item.section);
  const auto part = clip(fields.size(), item.partial);
  fields =
      fields.substr(static_cast<std::size_t>(part.offset), static_cast<std::size_t>(part.length));
  mask_nul(fields);
  append_literal_head(session_.out(), fields.size());
  session_.out() += fields;
  co_return Written::yes;
}

Task<Result<FetchResponder::Written>> FetchResponder::stream(std::uint32_t uid,
                                                             message::Range range) {
  bool head_written = false;
  if (range.length == 0) {
    session_.out() += "\"\"";
    co_return Written::yes;
  }
  const auto total = range.length;
  while (range.length > 0) {
    auto chunk = co_await session_.account().read_body(session_.view().id(), uid, range.offset,
                                                       std::min(kReadChunk, range.length));
    if (!chunk || chunk->empty() || chunk->size() > range.length) {
      log::warn(
          "imap_body_unreadable",
          {{"cause", chunk ? std::string("shorter than its index says") : chunk.error().message}});
      // Nothing of the literal is out yet, or the connection must end: respond() sees which.
      if (head_written) co_return fail(Errc::corrupt, "a body ended early");
      co_return Written::unreadable;
    }
    if (!head_written) append_literal_head(session_.out(), total);
    head_written = true;
    mask_nul(*chunk);
    session_.out() += *chunk;
    range.offset += chunk->size();
    range.length -= chunk->size();
    auto flushed = co_await session_.connection().flush_if_large();
    if (!flushed) co_return std::unexpected(flushed.error());
  }
  co_return Written::yes;
}

}  // namespace postern::imap
