// The body as DATA carries it: dots doubled at line starts, CRLF "." CRLF at the end (RFC 5321
// §4.5.2).
//
// Fed piece by piece; keeps only where in a line it is. Bodies in the queue have CRLF line ends by
// construction (the server's decoder refuses others); a bare CR or LF in one is refused here too,
// never sent.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace postern::smtp::delivery {

class DotStuffer {
 public:
  /// Errc::corrupt at a bare CR or LF.
  Result<std::string> feed(std::string_view piece);
  /// What is still to be sent: the line's end where one is missing, and the final dot.
  Result<std::string> finish();

 private:
  enum class At : std::uint8_t { line_start, inside, after_cr };
  At at_ = At::line_start;
};

}  // namespace postern::smtp::delivery
