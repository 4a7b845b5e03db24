// "127.0.0.1:25" and "[::1]:25".
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <string>

#include "core/result.hpp"

namespace postern::server {

Result<boost::asio::ip::tcp::endpoint> parse_endpoint(const std::string& text);

}  // namespace postern::server
