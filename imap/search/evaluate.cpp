#include "imap/search/evaluate.hpp"

#include <algorithm>
#include <array>
#include <chrono>

#include "core/ascii.hpp"
#include "imap/search/text.hpp"
#include "message/header.hpp"

namespace postern::imap {

namespace {
using Kind = SearchKey::Kind;

Truth truth(bool value) { return value ? Truth::yes : Truth::no; }

// Fields whose text the index holds, so that no body need be opened for them.
bool is_in_envelope(std::string_view name) {
  constexpr std::array<std::string_view, 7> names{"subject", "from",        "to",        "cc",
                                                  "bcc",     "in-reply-to", "message-id"};
  return std::ranges::find(names, name) != names.end();
}

std::optional<std::string> envelope_text(const message::Envelope& envelope, std::string_view name) {
  const auto value = [](const std::optional<std::string>& raw) -> std::optional<std::string> {
    if (!raw) return std::nullopt;
    return fold_header_value(*raw);
  };
  const auto list = [](const auto& addresses) -> std::optional<std::string> {
    if (addresses.empty()) return std::nullopt;
    return fold_addresses(addresses);
  };
  if (name == "subject") return value(envelope.subject);
  if (name == "in-reply-to") return value(envelope.in_reply_to);
  if (name == "message-id") return value(envelope.message_id);
  if (name == "from") return list(envelope.from);
  if (name == "to") return list(envelope.to);
  if (name == "cc") return list(envelope.cc);
  return list(envelope.bcc);
}

Truth in_header(const PreparedKey& key, const SearchSubject& subject) {
  if (is_in_envelope(key.name)) {
    if (subject.data == nullptr || !subject.data->index) return Truth::unknown;
    const auto text = envelope_text(subject.data->index->envelope(), key.name);
    return truth(text && text->contains(key.text));
  }
  if (!subject.header) return Truth::unknown;
  message::HeaderReader reader(*subject.header);
  while (const auto field = reader.next()) {
    if (!ascii::iequals(field->name, key.name)) continue;
    if (key.text.empty() || fold_header_value(field->value).contains(key.text)) return Truth::yes;
  }
  return Truth::no;
}

Truth in_body(const PreparedKey& key, const SearchSubject& subject) {
  if (key.text.empty()) return Truth::yes;
  if (!subject.body) return Truth::unknown;
  return truth(std::ranges::any_of(*subject.body,
                                   [&](const auto& text) { return text.contains(key.text); }));
}

Truth in_text(const PreparedKey& key, const SearchSubject& subject) {
  if (key.text.empty()) return Truth::yes;
  if (!subject.header) return Truth::unknown;
  message::HeaderReader reader(*subject.header);
  while (const auto field = reader.next()) {
    const auto line = fold_text(field->name) + ": " + fold_header_value(field->value);
    if (line.contains(key.text)) return Truth::yes;
  }
  return in_body(key, subject);
}

Truth compare_day(Kind kind, std::chrono::sys_days day, std::chrono::sys_days wanted) {
  switch (kind) {
    case Kind::before:
    case Kind::sent_before: return truth(day < wanted);
    case Kind::on:
    case Kind::sent_on: return truth(day == wanted);
    default: return truth(day >= wanted);
  }
}

Truth on_day(const PreparedKey& key, const SearchSubject& subject) {
  using std::chrono::days;
  using std::chrono::floor;
  if (subject.data == nullptr) return Truth::unknown;
  return compare_day(key.kind, floor<days>(subject.data->internal_date), floor<days>(key.date));
}

Truth sent_on_day(const PreparedKey& key, const SearchSubject& subject) {
  using std::chrono::days;
  using std::chrono::floor;
  if (subject.data == nullptr || !subject.data->index) return Truth::unknown;
  const auto& sent = subject.data->index->sent;
  if (!sent) return Truth::no;
  // RFC 3501 §6.4.4: "disregarding time and timezone": the day as the sender wrote it.
  const auto local = sent->time + std::chrono::minutes(sent->zone);
  return compare_day(key.kind, floor<days>(local), floor<days>(key.date));
}

Truth conjunction(const PreparedKey& key, const SearchSubject& subject) {
  auto result = Truth::yes;
  for (const auto& child : key.children) {
    const auto one = evaluate(child, subject);
    if (one == Truth::no) return one;
    if (one == Truth::unknown) result = one;
  }
  return result;
}

Truth disjunction(const PreparedKey& key, const SearchSubject& subject) {
  auto result = Truth::no;
  for (const auto& child : key.children) {
    const auto one = evaluate(child, subject);
    if (one == Truth::yes) return one;
    if (one == Truth::unknown) result = one;
  }
  return result;
}

Truth negation(Truth operand) {
  if (operand == Truth::unknown) return operand;
  return truth(operand == Truth::no);
}
}  // namespace

SearchNeeds needs_of(const SearchKey& key) {
  SearchNeeds needs;
  switch (key.kind) {
    case Kind::before:
    case Kind::on:
    case Kind::since:
    case Kind::larger:
    case Kind::smaller: needs.dates = true; break;
    case Kind::sent_before:
    case Kind::sent_on:
    case Kind::sent_since: needs.index = true; break;
    case Kind::header:
      needs.index = true;
      needs.header = !is_in_envelope(ascii::to_lower(key.name));
      break;
    case Kind::body: needs.index = needs.body = true; break;
    case Kind::text: needs.index = needs.header = needs.body = true; break;
    default: break;
  }
  for (const auto& child : key.children) {
    const auto more = needs_of(child);
    needs.dates = needs.dates || more.dates;
    needs.index = needs.index || more.index;
    needs.header = needs.header || more.header;
    needs.body = needs.body || more.body;
  }
  return needs;
}

PreparedKey prepare(const SearchKey& key, std::uint32_t largest_sequence,
                    std::uint32_t largest_uid) {
  PreparedKey out;
  out.kind = key.kind;
  out.flag = key.flag;
  out.name = ascii::to_lower(key.name);
  out.text = key.kind == Kind::keyword ? key.text : fold_text(key.text);
  out.date = key.date;
  out.number = key.number;
  if (key.kind == Kind::sequence) out.ranges = key.set.resolve(largest_sequence);
  if (key.kind == Kind::uid) out.ranges = key.set.resolve(largest_uid);
  for (const auto& child : key.children) {
    out.children.push_back(prepare(child, largest_sequence, largest_uid));
  }
  return out;
}

Truth evaluate(const PreparedKey& key, const SearchSubject& subject) {
  switch (key.kind) {
    case Kind::all: return Truth::yes;
    case Kind::flag: return truth((subject.flags.system & key.flag) != 0);
    case Kind::keyword: return truth(has_keyword(subject.flags, key.text));
    case Kind::recent: return truth(subject.recent);
    case Kind::sequence: return truth(contains(key.ranges, subject.sequence));
    case Kind::uid: return truth(contains(key.ranges, subject.uid));
    case Kind::before:
    case Kind::on:
    case Kind::since: return on_day(key, subject);
    case Kind::sent_before:
    case Kind::sent_on:
    case Kind::sent_since: return sent_on_day(key, subject);
    case Kind::larger:
      return subject.data == nullptr ? Truth::unknown : truth(subject.data->size > key.number);
    case Kind::smaller:
      return subject.data == nullptr ? Truth::unknown : truth(subject.data->size < key.number);
    case Kind::header: return in_header(key, subject);
    case Kind::body: return in_body(key, subject);
    case Kind::text: return in_text(key, subject);
    case Kind::conjunction: return conjunction(key, subject);
    case Kind::disjunction: return disjunction(key, subject);
    case Kind::negation: return negation(evaluate(key.children.front(), subject));
  }
  return Truth::no;
}

}  // namespace postern::imap
