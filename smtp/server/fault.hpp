// What the strict decoders find wrong in what a client sends.
//
// Only CRLF ends a line; only CRLF.CRLF ends DATA (RFC 5321 §2.3.8, §4.1.1.4). A bare CR or bare LF
// is never repaired and never ends anything: a command line with one is refused, a message with one
// is refused after its true end, so that no sender and no relay in between can make two messages
// of one here (SMTP smuggling). The decoders are state machines without I/O: fed any slicing of the
// octets, they give the same results. Untrusted: every octet.
#pragma once

#include <cstdint>
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

}  // namespace postern::smtp
