// The strict decoder of everything a client sends: command lines, DATA, BDAT chunks.
//
// Only CRLF ends a line; only CRLF.CRLF ends DATA (RFC 5321 §2.3.8, §4.1.1.4). A bare CR or bare LF
// is never repaired and never ends anything: a command line with one is refused, a message with one
// is refused after its true end, so that no sender and no relay in between can make two messages
// of one here (SMTP smuggling). State machines without I/O: fed any slicing of the octets, they
// give the same results. Untrusted: every octet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace postern::smtp {

/// What is wrong with a line or message, until its end. Of several the gravest is kept (the last
/// here), so that the answer doesn't depend on how the octets were sliced.
enum class Fault : std::uint8_t {
  none,
  too_many_fields,
  header_too_large,
  line_too_long,
  message_too_large,
  nul,
  bare_lf,
  bare_cr,
};
std::string_view to_string(Fault fault);

/// Splits commands. One line at a time; the fault of a line is told as soon as it is seen, and the
/// rest of that line is dropped up to its CRLF.
class LineDecoder {
 public:
  enum class Status : std::uint8_t { need_more, line, fault };
  struct Result {
    Status status = Status::need_more;
    std::size_t consumed = 0;  ///< take this much off the buffer
    std::string_view text{};   ///< line: without CRLF. fault: what came before it
    Fault fault = Fault::none;
  };
  /// `pending`: what is buffered. Call again with the same octets plus more after need_more.
  /// `limit`: longest line without its CRLF.
  Result next(std::string_view pending, std::size_t limit);

 private:
  Result skip(std::string_view pending);

  std::size_t scanned_ = 0;  // octets of the pending line that hold no CR, LF or NUL
  bool skipping_ = false;    // a faulty line's rest
  bool skipped_cr_ = false;  // the dropped octet just before was a CR
};

struct TextLimits {
  std::size_t line = 998;               ///< octets without CRLF (RFC 5321 §4.5.3.1.6)
  std::uint64_t message = 50ULL << 20;  ///< octets, CRLF included (RFC 1870 §3)
  std::size_t header = 256 << 10;       ///< octets of the header section
  std::size_t fields = 1000;            ///< header fields
};

/// Checks a message's text as it passes. One a message; carries its state over slices and chunks.
class TextDecoder {
 public:
  explicit TextDecoder(TextLimits limits) : limits_(limits) {}
  TextDecoder() : TextDecoder(TextLimits{}) {}

  struct Piece {
    std::size_t consumed = 0;
    std::string_view text{};  ///< message octets, unstuffed in place; empty once there is a fault
    bool end = false;         ///< DATA: CRLF.CRLF was consumed
  };
  /// DATA: consumes all of `input`, or up to and with the final dot line. Rewrites `input` in
  /// place.
  Piece next_data(std::span<char> input);
  /// BDAT: all of `input` is message text; the caller cuts at the chunk's end.
  Piece next_chunk(std::span<char> input);
  /// After the last octet of BDAT LAST: a CR that nothing followed is bare.
  void finish();

  [[nodiscard]] Fault fault() const { return fault_; }
  [[nodiscard]] std::uint64_t size() const { return size_; }  ///< message octets so far

 private:
  enum class Dot : std::uint8_t { none, seen, seen_cr };  // a line that begins with '.'
  struct Cursor;

  bool resume_dot(Cursor& at);
  void resume_cr(Cursor& at);
  void take_line(Cursor& at);
  void take(Cursor& at, std::size_t octets);
  void end_line();
  void set(Fault fault) { fault_ = fault > fault_ ? fault : fault_; }
  [[nodiscard]] Piece piece(const Cursor& at, std::span<char> input, bool end) const;

  TextLimits limits_;
  Fault fault_ = Fault::none;
  std::uint64_t size_ = 0;
  std::size_t column_ = 0;  // octets of the current line
  std::size_t header_ = 0;  // octets of the header section
  std::size_t fields_ = 0;
  bool in_header_ = true;
  bool line_start_ = true;   // the next octet is the first of a line
  bool pending_cr_ = false;  // the last octet was a CR: LF must follow
  Dot dot_ = Dot::none;
};

}  // namespace postern::smtp
