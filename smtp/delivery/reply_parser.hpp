// Reads SMTP replies from a byte stream: several lines, enhanced codes (RFC 5321 §4.2, RFC 2034).
//
// What arrives is hostile: a line is bounded, so is the number of lines; codes must be 200..599 and
// equal in all lines of a reply; CRLF ends a line (a bare LF too, as replies carry nothing that
// could be smuggled; a bare CR doesn't). Control characters in the text become '?'. Nothing is kept
// beyond queue::kMaxReplyText.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "smtp/queue/reply.hpp"

namespace postern::smtp::delivery {

inline constexpr std::size_t kMaxReplyLine =
    2'048;  ///< bytes with CRLF; RFC 5321 §4.5.3.1.5 promises 512
inline constexpr std::size_t kMaxReplyLines = 128;

class ReplyParser {
 public:
  /// Takes bytes until a reply is whole; `input` loses what was used. nullopt: more is needed. An
  /// Error means that the peer doesn't speak SMTP; the connection is of no more use.
  Result<std::optional<queue::Reply>> feed(std::string_view& input);
  /// The text of each line of the reply just completed, for EHLO. Valid until the next feed.
  [[nodiscard]] const std::vector<std::string>& lines() const { return lines_; }
  /// A reply has begun and isn't whole.
  [[nodiscard]] bool in_reply() const { return !line_.empty() || code_ != 0; }
  void reset();

 private:
  Result<bool> take_line();
  queue::Reply assemble();

  std::string line_;
  std::vector<std::string> lines_;
  int code_ = 0;
  bool done_ = false;
};

}  // namespace postern::smtp::delivery
