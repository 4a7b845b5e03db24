#include "core/outbound/request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "core/ascii.hpp"

namespace postern {

std::string_view to_string(OutboundMethod method) {
  switch (method) {
    case OutboundMethod::get: return "GET";
    case OutboundMethod::post: return "POST";
    case OutboundMethod::put: return "PUT";
    case OutboundMethod::del: return "DELETE";
  }
  return "GET";
}

namespace outbound {

namespace {

// Framing, routing, and what the connection is used for: never a caller's.
constexpr std::string_view kOurs[] = {"host",
                                      "content-length",
                                      "transfer-encoding",
                                      "connection",
                                      "keep-alive",
                                      "upgrade",
                                      "te",
                                      "trailer",
                                      "expect",
                                      "http2-settings",
                                      "user-agent",
                                      "accept-encoding"};
constexpr std::string_view kAlwaysSensitive[] = {"authorization", "cookie"};

// RFC 9110 §5.6.2.
bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return ascii::is_alnum(c) ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

// RFC 9110 §5.5 without obs-text and without space at the ends.
bool is_field_value(std::string_view text) {
  return ascii::trim(text) == text &&
         std::ranges::all_of(text, [](char c) { return (c >= ' ' && c <= '~') || c == '\t'; });
}

bool is_one_of(std::string_view name, std::span<const std::string_view> names) {
  return std::ranges::any_of(names,
                             [name](std::string_view one) { return ascii::iequals(name, one); });
}

bool is_sensitive(const OutboundHeader& header) {
  return header.kind == OutboundHeader::Kind::sensitive || is_one_of(header.name, kAlwaysSensitive);
}

Result<void> check_header(const OutboundHeader& header) {
  if (!is_token(header.name)) return fail(Errc::invalid, "a header's name is not valid");
  if (is_one_of(header.name, kOurs) || ascii::istarts_with(header.name, "proxy-")) {
    return fail(Errc::invalid, "the header " + header.name + " can't be set");
  }
  if (!is_field_value(header.value)) {
    return fail(Errc::invalid, "the value of the header " + header.name + " is not valid");
  }
  return {};
}

}  // namespace

Result<void> check_request(const OutboundRequest& request) {
  if (request.headers.size() > kMaxRequestHeaders) {
    return fail(Errc::too_large, "the request has too many headers");
  }
  std::size_t bytes = 0;
  for (const auto& header : request.headers) {
    if (auto ok = check_header(header); !ok) return ok;
    bytes += header.name.size() + header.value.size();
  }
  if (bytes > kMaxRequestHeaderBytes) {
    return fail(Errc::too_large, "the request's headers are too long");
  }
  if (request.body.size() > kMaxRequestBody) {
    return fail(Errc::too_large, "the request's body is too long");
  }
  if (request.method == OutboundMethod::get && !request.body.empty()) {
    return fail(Errc::invalid, "a GET request has no body");
  }
  return {};
}

std::string request_head(const OutboundRequest& request, const Url& url,
                         std::string_view user_agent) {
  std::string head = fmt::format(
      "{} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: {}\r\nAccept-Encoding: identity\r\n"
      "Connection: close\r\n",
      to_string(request.method), url.target, url.authority(), user_agent);
  for (const auto& header : request.headers) {
    head.append(header.name).append(": ").append(header.value).append("\r\n");
  }
  const bool may_have_none =
      request.method == OutboundMethod::get || request.method == OutboundMethod::del;
  if (!may_have_none || !request.body.empty()) {
    head += fmt::format("Content-Length: {}\r\n", request.body.size());
  }
  return head += "\r\n";
}

bool is_redirect(unsigned status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

void apply_redirect(OutboundRequest& request, unsigned status, const Url& from, const Url& to) {
  const bool was_post = request.method == OutboundMethod::post;
  if (status == 303 || ((status == 301 || status == 302) && was_post)) {
    request.method = OutboundMethod::get;
    request.body.clear();
    std::erase_if(request.headers, [](const OutboundHeader& header) {
      return ascii::istarts_with(header.name, "content-");
    });
  }
  // Another port or scheme of the host is another service: no less a stranger.
  if (!from.same_origin(to)) std::erase_if(request.headers, is_sensitive);
}

}  // namespace outbound
}  // namespace postern
