// HTTP/1.1 requests from bytes, without I/O (Boost.Beast's parser underneath): bytes go in as they
// arrive, a Request comes out. RFC 9112.
//
// Owner: one HTTP session. Limits: header block and body sizes; beyond them the answer is 431 or
// 413 and the connection closes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "web/http/message.hpp"

namespace postern::web {

struct HttpLimits {
  std::uint32_t header_bytes = 16 * 1024;
  std::uint64_t body_bytes = 1024 * 1024;
};

class RequestParser {
 public:
  enum class State : std::uint8_t { need_more, complete, failed };

  explicit RequestParser(HttpLimits limits);
  ~RequestParser();

  /// Takes bytes from the front of `input`, of which `consumed` says how many; call again with the
  /// rest.
  State feed(std::string_view input, std::size_t& consumed);
  [[nodiscard]] unsigned failure_status() const;  ///< 400, 413, 431, 501 or 505 after State::failed
  [[nodiscard]] bool keep_alive() const;
  [[nodiscard]] bool started() const;  ///< some byte of a request has been taken
  /// The finished request; the parser is ready for the next one.
  Request take();

 private:
  struct Impl;
  HttpLimits limits_;
  std::unique_ptr<Impl> impl_;
};

/// "%41b+c" -> "Ab+c"; nullopt for a broken escape or a NUL.
std::optional<std::string> percent_decode(std::string_view text);

}  // namespace postern::web
