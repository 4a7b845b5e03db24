#include "web/http/parser.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "core/ascii.hpp"
#include "core/encoding.hpp"
#include "core/random.hpp"

namespace postern::web {

namespace http = boost::beast::http;

constexpr std::size_t kShortestLastChunk = 5;  // "0", CRLF, CRLF

struct RequestParser::Impl {
  http::request_parser<http::string_body> parser;
  unsigned failure = 0;
  bool started = false;
  bool keep_alive = false;
};

namespace {

unsigned status_for(const boost::beast::error_code& error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) return 431;
  if (error == http::error::body_limit) return 413;
  if (error == http::error::bad_version) return 505;
  return 400;
}

std::optional<Method> method_of(http::verb verb) {
  switch (verb) {
    case http::verb::head:
    case http::verb::get: return Method::get;
    case http::verb::post: return Method::post;
    case http::verb::put: return Method::put;
    case http::verb::patch: return Method::patch;
    case http::verb::delete_: return Method::del;
    default: return std::nullopt;
  }
}

// RFC 9112 §3.2 (Host), §6.1 (a coding we don't know is 501). 0: nothing wrong.
unsigned framing_fault(const http::request<http::string_body>& message) {
  if (message.version() == 11 && message.count(http::field::host) != 1) return 400;
  const auto coding = message[http::field::transfer_encoding];
  if (!coding.empty() && !ascii::iequals({coding.data(), coding.size()}, "chunked")) return 501;
  return 0;
}

void parse_query(std::string_view text, std::map<std::string, std::string>& out) {
  while (!text.empty()) {
    const auto end = text.find('&');
    const auto pair = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    const auto equals = pair.find('=');
    auto name = percent_decode(pair.substr(0, equals));
    auto value = percent_decode(equals == std::string_view::npos ? "" : pair.substr(equals + 1));
    if (name && value && !name->empty()) out[*name] = *value;
  }
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const auto byte = hex_decode(text.substr(i + 1, 2));
    if (!byte || (*byte)[0] == '\0') return std::nullopt;
    out += *byte;
    i += 2;
  }
  return out;
}

RequestParser::RequestParser(HttpLimits limits) : limits_(limits) {
  impl_ = std::make_unique<Impl>();
  impl_->parser.header_limit(limits_.header_bytes);
  impl_->parser.body_limit(limits_.body_bytes);
  impl_->parser.eager(true);
}

RequestParser::~RequestParser() = default;

RequestParser::State RequestParser::feed(std::string_view input, std::size_t& consumed) {
  consumed = 0;
  if (impl_->failure != 0) return State::failed;
  if (!input.empty()) impl_->started = true;
  // Beast 1.81 asserts that it never sees less of a last chunk, once it has seen its beginning.
  const auto& parser = impl_->parser;
  if (parser.is_header_done() && parser.chunked() && input.size() < kShortestLastChunk) {
    return State::need_more;
  }
  boost::beast::error_code error;
  // The header parser takes a whole header block or nothing; the caller keeps what is not consumed.
  consumed = impl_->parser.put(boost::asio::buffer(input.data(), input.size()), error);
  if (error == http::error::need_more) {
    // Beast bounds what it has consumed; a block without an end, and after it a chunk's line or a
    // trailer without one (RFC 9112 §7.1), are bounded here.
    if (input.size() - consumed > limits_.header_bytes) {
      impl_->failure = 431;
      return State::failed;
    }
    return State::need_more;
  }
  if (error) {
    impl_->failure = status_for(error);
    return State::failed;
  }
  if (!impl_->parser.is_done()) return State::need_more;
  if (const unsigned status = framing_fault(impl_->parser.get()); status != 0) {
    impl_->failure = status;
    return State::failed;
  }
  if (!method_of(impl_->parser.get().method())) {
    impl_->failure = 501;
    return State::failed;
  }
  return State::complete;
}

unsigned RequestParser::failure_status() const { return impl_->failure; }
bool RequestParser::keep_alive() const { return impl_->parser.keep_alive(); }
bool RequestParser::started() const { return impl_->started; }

Request RequestParser::take() {
  auto message = impl_->parser.release();
  Request request;
  request.method = method_of(message.method()).value_or(Method::get);
  if (message.method() == http::verb::head) request.content = Content::omitted;
  const std::string_view target(message.target().data(), message.target().size());
  const auto question = target.find('?');
  request.path = std::string(target.substr(0, question));
  if (question != std::string_view::npos) parse_query(target.substr(question + 1), request.query);
  for (const auto& field : message) {
    request.headers[ascii::to_lower({field.name_string().data(), field.name_string().size()})] =
        std::string(field.value().data(), field.value().size());
  }
  request.body = std::move(message.body());
  request.id = hex_encode(random_bytes(8));
  impl_ = std::make_unique<Impl>();
  impl_->parser.header_limit(limits_.header_bytes);
  impl_->parser.body_limit(limits_.body_bytes);
  impl_->parser.eager(true);
  return request;
}

}  // namespace postern::web
