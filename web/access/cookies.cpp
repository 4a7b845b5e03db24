#include "web/access/cookies.hpp"

#include <fmt/format.h>

#include "core/crypto.hpp"
#include "core/encoding.hpp"

namespace postern::web {

namespace {

constexpr std::string_view kSession = "postern";
constexpr std::string_view kCsrf = "postern-csrf";

std::string name_of(std::string_view base, Transport transport) {
  return transport == Transport::tls ? fmt::format("__Host-{}", base) : std::string(base);
}

std::string cookie(const Request& request, std::string_view base) {
  const auto header = request.headers.find("cookie");
  if (header == request.headers.end()) return {};
  const auto wanted = name_of(base, request.peer.transport);
  std::string_view rest = header->second;
  while (!rest.empty()) {
    const auto end = rest.find(';');
    auto pair = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    while (pair.starts_with(' ')) pair.remove_prefix(1);
    const auto equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == wanted)
      return std::string(pair.substr(equals + 1));
  }
  return {};
}

void add_cookie(Response& response, Transport transport, std::string_view base,
                std::string_view value, std::string_view attributes) {
  response.headers.emplace_back(
      "Set-Cookie", fmt::format("{}={}; Path=/; SameSite=Strict{}{}", name_of(base, transport),
                                value, transport == Transport::tls ? "; Secure" : "", attributes));
}

}  // namespace

std::string session_token(const Request& request) { return cookie(request, kSession); }

std::string csrf_token(std::string_view session_token) {
  return base64url_encode(crypto::hmac_sha256(session_token, "csrf"));
}

bool csrf_holds(const Request& request, std::string_view session_token) {
  const auto header = request.headers.find("x-csrf-token");
  if (header == request.headers.end()) return false;
  const auto wanted = csrf_token(session_token);
  return crypto::constant_time_equal(header->second, wanted) &&
         crypto::constant_time_equal(cookie(request, kCsrf), wanted);
}

void set_session_cookies(Response& response, Transport transport, std::string_view session_token) {
  add_cookie(response, transport, kSession, session_token, "; HttpOnly");
  add_cookie(response, transport, kCsrf, csrf_token(session_token), "");
}

void clear_session_cookies(Response& response, Transport transport) {
  add_cookie(response, transport, kSession, "", "; HttpOnly; Max-Age=0");
  add_cookie(response, transport, kCsrf, "", "; Max-Age=0");
}

}  // namespace postern::web
