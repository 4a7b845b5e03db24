// An SMTP reply as the queue remembers it (RFC 5321 §4.2, enhanced status codes RFC 3463).
//
// The text came from a peer: control characters are gone and its length is bounded (the parser does
// both), but it is still a stranger's text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::smtp::queue {

inline constexpr std::size_t kMaxReplyText = 1'000;  ///< bytes kept of all lines together

/// "5.1.1" (RFC 3463 §2). All zero: none was given.
struct EnhancedCode {
  std::uint16_t status_class = 0;  ///< 2, 4 or 5
  std::uint16_t subject = 0;
  std::uint16_t detail = 0;

  bool operator==(const EnhancedCode&) const = default;
  [[nodiscard]] bool present() const { return status_class != 0; }
  [[nodiscard]] std::string text() const;  ///< "5.1.1"
};
/// The whole of `text` must be one code: class 2, 4 or 5, numbers of one to three digits.
std::optional<EnhancedCode> parse_enhanced_code(std::string_view text);

struct Reply {
  int code = 0;           ///< 200..599, or 0: no reply
  EnhancedCode enhanced;  ///< where the peer gave one
  std::string text;       ///< lines joined by '\n', without codes

  bool operator==(const Reply&) const = default;
  [[nodiscard]] bool positive() const { return code >= 200 && code < 300; }
  [[nodiscard]] bool intermediate() const { return code >= 300 && code < 400; }
  [[nodiscard]] bool temporary() const { return code >= 400 && code < 500; }
  [[nodiscard]] bool permanent() const { return code >= 500; }
  /// The enhanced code, or "2.0.0", "4.0.0", "5.0.0" by the reply's first digit (RFC 3461 §6.3 g).
  [[nodiscard]] std::string status() const;
  /// "550 5.1.1 no such user" on one line, for logs and Diagnostic-Code.
  [[nodiscard]] std::string one_line() const;
};

/// A reply of our own making, where no peer spoke.
Reply make_reply(int code, EnhancedCode enhanced, std::string text);

}  // namespace postern::smtp::queue
