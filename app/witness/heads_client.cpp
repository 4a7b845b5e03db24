#include "app/witness/heads_client.hpp"

#include <fmt/format.h>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include "web/api/audit/heads_json.hpp"

namespace postern::witness {

namespace http = boost::beast::http;
using accounts::audit::Heads;
using boost::system::error_code;
using Local = asio::local::stream_protocol;

namespace {

constexpr std::uint32_t kHeaderBytes = 8 * 1024;
constexpr std::size_t kMaxPath = 107;  // sockaddr_un's

using Stream = boost::beast::basic_stream<Local>;
using Parser = http::response_parser<http::string_body>;

std::unexpected<Error> trouble(const std::string& path, std::string_view what) {
  return fail(Errc::io, fmt::format("{}: {}", path, what));
}

Task<error_code> exchange(Stream& stream, const std::string& path, Parser& parser) {
  error_code error;
  co_await stream.async_connect(Local::endpoint(path),
                                asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return error;
  http::request<http::empty_body> request{http::verb::get, "/v1/audit/heads", 11};
  request.set(http::field::host, "postern");
  request.keep_alive(false);
  co_await http::async_write(stream, request, asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return error;
  boost::beast::flat_buffer buffer;
  co_await http::async_read(stream, buffer, parser,
                            asio::redirect_error(asio::use_awaitable, error));
  co_return error;
}

}  // namespace

Task<Result<Heads>> ask_heads(std::string socket_path, std::chrono::milliseconds patience) {
  if (socket_path.empty() || socket_path.size() > kMaxPath)
    co_return fail(Errc::invalid, socket_path + ": no path of a socket");
  Stream stream(co_await asio::this_coro::executor);
  stream.expires_after(patience);
  Parser parser;
  parser.header_limit(kHeaderBytes);
  parser.body_limit(accounts::audit::kMaxStatement);
  const auto error = co_await exchange(stream, socket_path, parser);
  if (error) co_return trouble(socket_path, error.message());
  if (const auto status = parser.get().result_int(); status != 200) {
    co_return fail(Errc::temporary, fmt::format("{}: the server answered {} instead of its heads",
                                                socket_path, status));
  }
  co_return web::api::parse_heads(parser.get().body());
}

}  // namespace postern::witness
