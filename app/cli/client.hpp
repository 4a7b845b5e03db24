// The CLI's side of the management API: one HTTP request over the server's unix socket, blocking.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace postern::cli {

class Client {
 public:
  explicit Client(std::string socket_path) : socket_path_(std::move(socket_path)) {}

  /// The JSON answer of a 2xx; otherwise the problem document's detail as an Error. `body` may be
  /// null.
  [[nodiscard]] Result<boost::json::value> call(std::string_view method, const std::string& path,
                                                const boost::json::value& body = nullptr) const;

 private:
  std::string socket_path_;
};

/// One path segment or query value, percent-encoded (RFC 3986 §2.1).
std::string percent_encode(std::string_view text);

}  // namespace postern::cli
