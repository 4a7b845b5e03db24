#include "imap/search/searcher.hpp"

#include <algorithm>
#include <unordered_map>

#include "imap/search/text.hpp"

namespace postern::imap {

namespace {
constexpr std::size_t kTurn = 4096;  // messages looked at before other sessions get their turn
}

Searcher::Searcher(Session& session, const SearchKey& key)
    : session_(session),
      needs_(needs_of(key)),
      key_(prepare(key, session.view().largest(Numbering::sequence),
                   session.view().largest(Numbering::uid))),
      bytes_left_(session.options().limits.search_bytes) {}

SearchSubject Searcher::subject(std::uint32_t sequence) const {
  const auto& view = session_.view();
  SearchSubject out;
  out.sequence = sequence;
  out.uid = view.uid_at(sequence);
  out.flags = view.flags_at(sequence);
  out.recent = view.recent_at(sequence);
  return out;
}

Task<Result<std::vector<std::uint32_t>>> Searcher::run() {
  std::vector<std::uint32_t> found;
  std::vector<std::uint32_t> undecided;
  const auto last = session_.view().exists();
  for (std::uint32_t n = 1; n <= last; ++n) {
    const auto result = evaluate(key_, subject(n));
    if (result == Truth::yes) found.push_back(n);
    if (result == Truth::unknown) undecided.push_back(n);
    if (n % kTurn == 0)
      co_await asio::post(session_.connection().stream().executor(), asio::use_awaitable);
  }
  for (std::size_t i = 0; i < undecided.size(); i += kFetchBatch) {
    const auto first = undecided.begin() + static_cast<std::ptrdiff_t>(i);
    const auto count = std::min(kFetchBatch, undecided.size() - i);
    std::vector<std::uint32_t> some(first, first + static_cast<std::ptrdiff_t>(count));
    auto done = co_await batch(std::move(some), found);
    if (!done) co_return std::unexpected(done.error());
  }
  std::ranges::sort(found);
  co_return found;
}

Task<Result<void>> Searcher::batch(std::vector<std::uint32_t> sequences,
                                   std::vector<std::uint32_t>& found) {
  auto& view = session_.view();
  auto data = co_await session_.account().fetch(view.id(), view.uids_of(sequences),
                                                needs_.index ? Detail::index : Detail::dates);
  if (!data) co_return std::unexpected(data.error());
  std::unordered_map<std::uint32_t, const MessageData*> by_uid;
  for (const auto& one : *data) by_uid.emplace(one.uid, &one);
  for (const auto sequence : sequences) {
    auto one = subject(sequence);
    const auto known = by_uid.find(one.uid);
    if (known == by_uid.end()) continue;
    one.data = known->second;
    auto result = evaluate(key_, one);
    if (result == Truth::unknown) {
      const auto decided = co_await with_bodies(one);
      if (!decided) co_return std::unexpected(decided.error());
      result = *decided;
    }
    if (result == Truth::yes) found.push_back(sequence);
  }
  co_return Result<void>{};
}

// Header first, then the texts. A message that can't be read doesn't match.
Task<Result<Truth>> Searcher::with_bodies(SearchSubject& subject) {
  if (!subject.data->index) co_return Truth::no;
  if (needs_.header) {
    const auto size = std::min(subject.data->index->header_size(), kMaxSearchedHeader);
    auto header = co_await read(subject.uid, 0, size);
    if (!header && header.error().code != Errc::not_found) {
      co_return std::unexpected(header.error());
    }
    subject.header = header.value_or(std::string());
    const auto result = evaluate(key_, subject);
    if (result != Truth::unknown) co_return result;
  }
  auto texts = co_await read_texts(subject);
  if (!texts) {
    if (texts.error().code != Errc::not_found) co_return std::unexpected(texts.error());
    co_return Truth::no;
  }
  subject.body = std::move(*texts);
  co_return evaluate(key_, subject) == Truth::yes ? Truth::yes : Truth::no;
}

Task<Result<std::string>> Searcher::read(std::uint32_t uid, std::uint64_t offset,
                                         std::uint64_t length) {
  std::string out;
  if (length > bytes_left_) co_return fail(Errc::too_large, "the search reads too much");
  bytes_left_ -= length;
  while (out.size() < length) {
    auto chunk = co_await session_.account().read_body(
        session_.view().id(), uid, offset + out.size(),
        std::min<std::uint64_t>(kReadChunk, length - out.size()));
    if (!chunk) co_return std::unexpected(chunk.error());
    if (chunk->empty()) break;
    out += *chunk;
  }
  co_return out;
}

namespace {
// Text, and the parts of reports that are lines of text (message/delivery-status and its kin).
bool is_readable(const message::Part& part) {
  return part.type.type == "text" || part.type.type == "message";
}
}  // namespace

Task<Result<std::vector<std::string>>> Searcher::read_texts(const SearchSubject& subject) {
  std::vector<std::string> out;
  std::uint64_t room = kMaxSearchedText;
  const auto& parts = subject.data->index->tree.parts;
  for (std::size_t i = 0; i < parts.size() && room > 0; ++i) {
    const auto& part = parts[i];
    const bool embedded = i != 0 && part.envelope != nullptr;
    if (embedded) {
      // The header of a message inside this one is body text (RFC 3501 §6.4.4).
      const auto size = std::min(part.body_begin - part.header_begin, room);
      auto header = co_await read(subject.uid, part.header_begin, size);
      if (!header) co_return std::unexpected(header.error());
      room -= size;
      out.push_back(fold_header_value(*header));
    }
    if (part.kind != message::Part::Kind::leaf || !is_readable(part) || room == 0) continue;
    const auto size = std::min(part.octets(), room);
    auto body = co_await read(subject.uid, part.body_begin, size);
    if (!body) co_return std::unexpected(body.error());
    room -= size;
    out.push_back(fold_part(part, *body));
  }
  co_return out;
}

}  // namespace postern::imap
