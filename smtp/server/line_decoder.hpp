// The strict decoder of command lines (see fault.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "smtp/server/fault.hpp"

namespace postern::smtp {

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

}  // namespace postern::smtp
