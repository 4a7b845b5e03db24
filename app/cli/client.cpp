#include "app/cli/client.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>

#include "core/ascii.hpp"

namespace postern::cli {

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace json = boost::json;
using Socket = asio::local::stream_protocol::socket;

namespace {

Errc code_for(unsigned status) {
  switch (status) {
    case 400: return Errc::invalid;
    case 403: return Errc::denied;
    case 404: return Errc::not_found;
    case 409: return Errc::exists;
    case 413: return Errc::too_large;
    case 503: return Errc::temporary;
    default: return Errc::io;
  }
}

Result<json::value> interpret(const http::response<http::string_body>& response) {
  const auto& text = response.body();
  boost::json::error_code error;
  json::value document = text.empty() ? json::value(json::object{}) : json::parse(text, error);
  if (response.result_int() / 100 == 2 && !error) return document;
  std::string detail = "the server answered " + std::to_string(response.result_int());
  if (!error && document.is_object() && document.as_object().contains("detail")) {
    detail = json::value_to<std::string>(document.at("detail"));
  }
  return fail(code_for(response.result_int()), detail);
}

}  // namespace

Result<json::value> Client::call(std::string_view method, const std::string& path,
                                 const json::value& body) const {
  asio::io_context context;
  Socket socket(context);
  boost::system::error_code error;
  socket.connect(asio::local::stream_protocol::endpoint(socket_path_), error);
  if (error) {
    return fail(
        Errc::io,
        fmt::format("no server answers on {} ({}). Start it with `postern serve --config FILE`, "
                    "or name another one with --config.",
                    socket_path_, error.message()));
  }
  http::request<http::string_body> request;
  request.method_string({method.data(), method.size()});
  request.target(path);
  request.version(11);
  request.set(http::field::host, "postern");
  request.keep_alive(false);
  if (!body.is_null()) {
    request.set(http::field::content_type, "application/json");
    request.body() = json::serialize(body);
  }
  request.prepare_payload();
  http::write(socket, request, error);
  boost::beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(64ULL << 20);
  if (!error) http::read(socket, buffer, parser, error);
  if (error) return fail(Errc::io, "the server closed the connection: " + error.message());
  return interpret(parser.get());
}

std::string percent_encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (ascii::is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~' || c == '@') {
      out.push_back(c);
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

}  // namespace postern::cli
