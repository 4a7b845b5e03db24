// HTTP/1.x responses from bytes, without I/O (Boost.Beast's parser underneath): one answer a
// parser.
//
// The caller keeps what feed() did not consume and offers it again with more behind it. Everything
// is untrusted: header block, chunk lines and trailers together stay within the header limit each,
// the body within its own. Standards: RFC 9112 §4, §6, §7.1; RFC 9110 §15.2 (1xx answers are
// passed over). Stricter than the standard: a transfer coding other than "chunked" and
// 101 (Switching Protocols), which nobody asked for, are errors.
//
// A body that ends with the connection is taken as it is: neither HTTP nor TLS without its closing
// alert can say whether it is whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/outbound/options.hpp"
#include "core/result.hpp"

namespace postern {

struct OutboundResponse {
  unsigned status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case, as received
  std::string body;
  unsigned redirects = 0;  ///< that were followed to get here

  /// The first value of that name (given in lower case), or empty.
  [[nodiscard]] std::string_view header(std::string_view name) const;
  [[nodiscard]] std::size_t count(std::string_view name) const;
};

namespace outbound {

class ResponseParser {
 public:
  enum class Body : std::uint8_t { read, none };  ///< none: a CONNECT's, or nobody wants it
  enum class State : std::uint8_t { need_more, complete, failed };

  ResponseParser(const OutboundLimits& limits, Body body);
  ~ResponseParser();
  ResponseParser(const ResponseParser&) = delete;
  ResponseParser& operator=(const ResponseParser&) = delete;

  /// Takes the first `consumed` bytes of `input`.
  State feed(std::string_view input, std::size_t& consumed);
  /// The peer has closed: complete when that is how the body ends.
  State finish();
  /// After State::failed. Errc::too_large: a limit; Errc::io: not HTTP. Repeats nothing received.
  [[nodiscard]] const Error& error() const;
  /// After State::complete, once.
  OutboundResponse take();

 private:
  struct Impl;
  State read_header(std::string_view input, std::size_t& consumed);
  State read_body(std::string_view input, std::size_t& consumed);
  State header_done();
  State fail_with(Errc code, std::string message);

  OutboundLimits limits_;
  Body body_;
  std::unique_ptr<Impl> impl_;
  Error error_;
  std::size_t scanned_ = 0;  // of the input at hand: no header block ends before
  unsigned informational_ = 0;
  bool failed_ = false;
};

}  // namespace outbound
}  // namespace postern
