#include "core/outbound/response_parser.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "core/ascii.hpp"

namespace postern {

std::string_view OutboundResponse::header(std::string_view name) const {
  const auto found = std::ranges::find(headers, name, &std::pair<std::string, std::string>::first);
  return found == headers.end() ? std::string_view{} : std::string_view(found->second);
}

std::size_t OutboundResponse::count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::ranges::count(headers, name, &std::pair<std::string, std::string>::first));
}

namespace outbound {

namespace http = boost::beast::http;

namespace {
constexpr std::size_t kShortestLastChunk = 5;  // "0", CRLF, CRLF
constexpr unsigned kMaxInformational = 8;
constexpr std::string_view kBlockEnd = "\r\n\r\n";

bool is_chunked_or_none(const http::response<http::string_body>& message) {
  const auto codings = message.count(http::field::transfer_encoding);
  const auto coding = message[http::field::transfer_encoding];
  return codings == 0 ||
         (codings == 1 && ascii::iequals({coding.data(), coding.size()}, "chunked"));
}
}  // namespace

struct ResponseParser::Impl {
  Impl(const OutboundLimits& limits, Body body) {
    // Our own count bounds the block; Beast's must not come before it.
    parser.header_limit(
        static_cast<std::uint32_t>(std::min<std::size_t>(limits.header_bytes, UINT32_MAX - 1) + 1));
    parser.body_limit(limits.body_bytes);
    parser.eager(true);
    parser.skip(body == Body::none);
  }
  http::response_parser<http::string_body> parser;
};

ResponseParser::ResponseParser(const OutboundLimits& limits, Body body)
    : limits_(limits), body_(body), impl_(std::make_unique<Impl>(limits, body)) {}

ResponseParser::~ResponseParser() = default;

const Error& ResponseParser::error() const { return error_; }

ResponseParser::State ResponseParser::fail_with(Errc code, std::string message) {
  failed_ = true;
  error_ = Error{code, std::move(message)};
  return State::failed;
}

ResponseParser::State ResponseParser::feed(std::string_view input, std::size_t& consumed) {
  consumed = 0;
  if (failed_) return State::failed;
  while (!impl_->parser.is_header_done()) {
    std::size_t taken = 0;
    const State state = read_header(input.substr(consumed), taken);
    consumed += taken;
    if (state != State::complete) return state;
  }
  if (impl_->parser.is_done()) return State::complete;
  std::size_t taken = 0;
  const State state = read_body(input.substr(consumed), taken);
  consumed += taken;
  return state;
}

// Complete: a whole block was taken; an informational one leaves the parser as new.
ResponseParser::State ResponseParser::read_header(std::string_view input, std::size_t& consumed) {
  const auto end = input.find(kBlockEnd, scanned_);
  const bool whole = end != std::string_view::npos;
  const std::size_t size = whole ? end + kBlockEnd.size() : input.size();
  if (size > limits_.header_bytes || (!whole && size == limits_.header_bytes)) {
    return fail_with(Errc::too_large, fmt::format("the response's header is longer than {} bytes",
                                                  limits_.header_bytes));
  }
  if (!whole) {
    scanned_ = size < kBlockEnd.size() ? 0 : size - (kBlockEnd.size() - 1);
    return State::need_more;
  }
  scanned_ = 0;
  // Beast takes the start line and then the fields, a call each unless it is eager.
  boost::beast::error_code error;
  consumed = impl_->parser.put(boost::asio::buffer(input.data(), size), error);
  if (error == http::error::body_limit) {
    return fail_with(Errc::too_large, fmt::format("the response's body is longer than {} bytes",
                                                  limits_.body_bytes));
  }
  if ((error && error != http::error::need_more) || !impl_->parser.is_header_done() ||
      consumed != size) {
    return fail_with(Errc::io, "the response is not HTTP");
  }
  return header_done();
}

ResponseParser::State ResponseParser::header_done() {
  const auto& message = impl_->parser.get();
  const unsigned status = message.result_int();
  if (!is_chunked_or_none(message)) {
    return fail_with(Errc::io, "the response has a transfer coding that is not known");
  }
  if (status < 100 || status == 101) {
    return fail_with(Errc::io, "the response has a status that makes no sense here");
  }
  if (status >= 200) return State::complete;
  if (++informational_ > kMaxInformational) {
    return fail_with(Errc::too_large, "too many informational responses");
  }
  impl_ = std::make_unique<Impl>(limits_, body_);
  return State::complete;
}

ResponseParser::State ResponseParser::read_body(std::string_view input, std::size_t& consumed) {
  auto& parser = impl_->parser;
  if (input.empty()) return State::need_more;
  // Beast 1.81 asserts that it never sees less of a last chunk, once it has seen its beginning.
  if (parser.chunked() && input.size() < kShortestLastChunk) return State::need_more;
  boost::beast::error_code error;
  consumed = parser.put(boost::asio::buffer(input.data(), input.size()), error);
  if (error == http::error::body_limit || error == http::error::buffer_overflow) {
    return fail_with(Errc::too_large, fmt::format("the response's body is longer than {} bytes",
                                                  limits_.body_bytes));
  }
  if (error && error != http::error::need_more) {
    return fail_with(Errc::io, "the response's body is not framed as HTTP");
  }
  if (parser.is_done()) return State::complete;
  // Beast bounds neither a chunk's extensions nor the trailers.
  if (input.size() - consumed > limits_.header_bytes) {
    return fail_with(Errc::too_large, "a chunk line or the trailers of the response are too long");
  }
  return State::need_more;
}

ResponseParser::State ResponseParser::finish() {
  if (failed_) return State::failed;
  auto& parser = impl_->parser;
  if (!parser.is_header_done()) {
    return fail_with(Errc::io, "the connection ended before the response's header did");
  }
  boost::beast::error_code error;
  if (!parser.is_done()) parser.put_eof(error);
  if (error || !parser.is_done()) {
    return fail_with(Errc::io, "the connection ended before the response did");
  }
  return State::complete;
}

OutboundResponse ResponseParser::take() {
  auto message = impl_->parser.release();
  OutboundResponse out;
  out.status = message.result_int();
  for (const auto& field : message) {
    out.headers.emplace_back(
        ascii::to_lower({field.name_string().data(), field.name_string().size()}),
        std::string(field.value().data(), field.value().size()));
  }
  out.body = std::move(message.body());
  return out;
}

}  // namespace outbound
}  // namespace postern
