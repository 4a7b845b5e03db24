// Messages and keys that several tests use.
#pragma once

#include <string>
#include <string_view>

#include "core/time.hpp"

namespace postern::test {

/// LF to CRLF, as messages lie in files.
inline std::string with_crlf(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '\n' && !out.ends_with('\r')) out += '\r';
    out += c;
  }
  return out;
}

/// 2023-11-14, later than the signatures of published vectors.
inline Timestamp test_now() { return Timestamp{std::chrono::seconds{1'700'000'000}}; }

}  // namespace postern::test
