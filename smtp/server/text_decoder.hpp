// The strict decoder of a message's text, by DATA or BDAT (see fault.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "smtp/server/fault.hpp"

namespace postern::smtp {

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
