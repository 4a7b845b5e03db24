// RFC 5256 §2.1: the base subject, by its steps.
#include <algorithm>

#include "core/ascii.hpp"
#include "message/encoded_word.hpp"
#include "message/index.hpp"

namespace postern::message {

namespace {

constexpr std::string_view kForwardHeader = "[fwd:";
constexpr std::size_t kMaxSubject = 4'096;  // bytes looked at: the steps below may be quadratic

/// Step 1: decoded, runs of white space become one space.
std::string squeeze(std::string_view raw_subject) {
  std::string out;
  for (const char c : decode_words(raw_subject.substr(0, kMaxSubject))) {
    const bool space = c == ' ' || c == '\t' || c == '\r' || c == '\n';
    if (!space) {
      out += c;
    } else if (!out.ends_with(' ')) {
      out += ' ';
    }
  }
  return out;
}

void skip_space(std::string_view& text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
}

/// Step 2: subj-trailer.
bool remove_trailers(std::string_view& text) {
  bool forwarded = false;
  while (true) {
    if (text.ends_with(' ')) {
      text.remove_suffix(1);
    } else if (text.size() >= 5 && ascii::iequals(text.substr(text.size() - 5), "(fwd)")) {
      text.remove_suffix(5);
      forwarded = true;
    } else {
      return forwarded;
    }
  }
}

/// Length of a subj-blob ("[...]" and space), 0 when there is none.
std::size_t blob_length(std::string_view text) {
  if (!text.starts_with('[')) return 0;
  const auto end = text.find_first_of("[]", 1);
  if (end == std::string_view::npos || text[end] != ']') return 0;
  const auto after = text.find_first_not_of(' ', end + 1);
  return after == std::string_view::npos ? text.size() : after;
}

/// subj-refwd: "re", "fw" or "fwd", perhaps a blob, a colon.
std::size_t reply_mark_length(std::string_view text) {
  std::size_t at = 0;
  if (ascii::istarts_with(text, "re")) {
    at = 2;
  } else if (ascii::istarts_with(text, "fwd")) {
    at = 3;
  } else if (ascii::istarts_with(text, "fw")) {
    at = 2;
  } else {
    return 0;
  }
  while (at < text.size() && text[at] == ' ') ++at;
  at += blob_length(text.substr(at));
  return at < text.size() && text[at] == ':' ? at + 1 : 0;
}

/// Step 3: subj-leader, with the blobs that stand before it.
bool remove_leader(std::string_view& text) {
  skip_space(text);
  std::string_view rest = text;
  while (const std::size_t blob = blob_length(rest)) rest.remove_prefix(blob);
  const std::size_t mark = reply_mark_length(rest);
  if (mark == 0) return false;
  text = rest.substr(mark);
  skip_space(text);
  return true;
}

/// Step 4: a blob in front, unless nothing would remain.
bool remove_blob(std::string_view& text) {
  const std::size_t blob = blob_length(text);
  if (blob == 0 || blob == text.size()) return false;
  text.remove_prefix(blob);
  return true;
}

}  // namespace

BaseSubject base_subject(std::string_view raw_subject) {
  const std::string squeezed = squeeze(raw_subject);
  std::string_view text = squeezed;
  BaseSubject out;
  while (true) {
    if (remove_trailers(text)) out.is_reply = true;
    while (true) {
      const bool leader = remove_leader(text);
      if (leader) out.is_reply = true;
      if (!leader && !remove_blob(text)) break;
    }
    // Step 6.
    if (!ascii::istarts_with(text, kForwardHeader) || !text.ends_with(']')) break;
    text.remove_prefix(kForwardHeader.size());
    text.remove_suffix(1);
    out.is_reply = true;
  }
  out.text = text;
  return out;
}

}  // namespace postern::message
