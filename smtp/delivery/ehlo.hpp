// What a server offers in its EHLO reply (RFC 5321 §4.1.1.1).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace postern::smtp::delivery {

struct Capabilities {
  bool starttls = false;
  bool pipelining = false;
  bool eight_bit_mime = false;
  bool smtputf8 = false;
  bool dsn = false;
  bool size = false;
  std::uint64_t max_size = 0;        ///< with SIZE; 0: no limit stated
  std::uint32_t max_recipients = 0;  ///< LIMITS RCPTMAX (RFC 9422); 0: not stated
  std::uint32_t max_messages = 0;    ///< LIMITS MAILMAX; 0: not stated
};

/// `lines`: of the reply; the first is the greeting. Unknown and malformed keywords are passed
/// over.
Capabilities parse_ehlo(const std::vector<std::string>& lines);

}  // namespace postern::smtp::delivery
