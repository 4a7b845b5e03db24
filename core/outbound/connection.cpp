#include "core/outbound/connection.hpp"

#include <fmt/format.h>

#include <span>

#include "core/ip_address.hpp"

namespace postern::outbound {

namespace {

using Endpoint = asio::ip::tcp::endpoint;

constexpr std::size_t kMaxAttempts = 4;  // addresses of a name that are tried
constexpr std::size_t kReadSize = 16 * 1024;

std::string endpoint_text(const Endpoint& endpoint) {
  const std::string address = endpoint.address().to_string();
  const bool v6 = endpoint.address().is_v6();
  return fmt::format("{}{}{}:{}", v6 ? "[" : "", address, v6 ? "]" : "", endpoint.port());
}

Task<Result<void>> open_tcp(Endpoint remote, const OutboundLimits& limits, BoundedStream& bounded) {
  auto stream = co_await connect_tcp(remote, asio::ip::address(),
                                     std::min(limits.connect, bounded.remaining()));
  if (!stream) co_return bounded.failure(stream.error());
  // What the kernel says it connected to, against what was checked.
  if ((*stream)->remote() != remote) {
    co_return fail(Errc::denied, "the connection is not to the address that was checked");
  }
  bounded.adopt(std::move(*stream));
  if (bounded.expired()) co_return bounded.failure({});
  co_return Result<void>{};
}

Task<Result<Endpoint>> proxy_endpoint(const Setup& setup, const BoundedStream& bounded) {
  const auto& proxy = *setup.options.proxy;
  if (const auto literal = parse_ip(proxy.host)) co_return Endpoint(*literal, proxy.port);
  const auto found = co_await look_up(setup.resolver, proxy.host, bounded.end());
  if (!found) co_return std::unexpected(found.error());
  co_return Endpoint(found->front(), proxy.port);
}

// RFC 9110 §9.3.6. The name stays here: the proxy is told the address that was checked.
Task<Result<void>> open_tunnel(Endpoint remote, const OutboundLimits& limits,
                               BoundedStream& bounded) {
  const std::string target = endpoint_text(remote);
  const std::string request = fmt::format("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\n", target);
  if (auto sent = co_await bounded.stream().write_all(request); !sent) {
    co_return bounded.failure(sent.error());
  }
  ResponseParser parser(limits, ResponseParser::Body::none);
  std::string rest;
  auto answer = co_await read_response(bounded, parser, rest);
  if (!answer) co_return std::unexpected(answer.error());
  if (answer->status / 100 != 2) {
    co_return fail(Errc::io, fmt::format("the proxy answered {}", answer->status));
  }
  // Whatever it is, it didn't come through TLS.
  if (!rest.empty()) co_return fail(Errc::io, "the proxy sent more than its answer");
  co_return Result<void>{};
}

// The proxy's name and address are the operator's: they stay out of the error.
Task<Result<void>> open_proxy(const Setup& setup, const OutboundLimits& limits,
                              BoundedStream& bounded) {
  Result<void> open;
  const auto proxy = co_await proxy_endpoint(setup, bounded);
  if (proxy) open = co_await open_tcp(*proxy, limits, bounded);
  if (!proxy) open = std::unexpected(proxy.error());
  if (!open) open.error().message = "no connection to the proxy";
  co_return open;
}

Task<Result<void>> open_path(const Setup& setup, const OutboundLimits& limits, Endpoint remote,
                             BoundedStream& bounded) {
  if (!setup.options.proxy) co_return co_await open_tcp(remote, limits, bounded);
  if (auto open = co_await open_proxy(setup, limits, bounded); !open) co_return open;
  bounded.arm_part(limits.connect);
  auto tunnel = co_await open_tunnel(remote, limits, bounded);
  bounded.arm_whole();
  co_return tunnel;
}

}  // namespace

Task<Result<void>> connect(const Setup& setup, const OutboundLimits& limits, const Url& url,
                           const Addresses& addresses, BoundedStream& bounded) {
  Result<void> open = fail(Errc::io, "no address to connect to");
  for (const auto& address : std::span(addresses).first(std::min(addresses.size(), kMaxAttempts))) {
    open = co_await open_path(setup, limits, Endpoint(address, url.port), bounded);
    const bool next = !open && open.error().code != Errc::denied && !bounded.expired();
    if (!next) break;
  }
  if (!open || url.scheme == Scheme::http) co_return open;
  bounded.arm_part(limits.connect);
  auto secured = co_await bounded.stream().start_tls_client(setup.tls, url.host);
  if (!secured) co_return bounded.failure(secured.error());
  bounded.arm_whole();
  co_return secured;
}

Task<Result<OutboundResponse>> read_response(BoundedStream& bounded, ResponseParser& parser,
                                             std::string& rest) {
  using State = ResponseParser::State;
  for (;;) {
    std::size_t consumed = 0;
    State state = parser.feed(rest, consumed);
    rest.erase(0, consumed);
    if (state == State::need_more) {
      const auto old = rest.size();
      rest.resize(old + kReadSize);
      auto got = co_await bounded.stream().read_some(std::span<char>(rest).subspan(old));
      rest.resize(old + (got ? *got : 0));
      if (!got) co_return bounded.failure(got.error());
      if (*got > 0) continue;
      state = parser.finish();
    }
    if (state == State::failed) co_return std::unexpected(parser.error());
    co_return parser.take();
  }
}

}  // namespace postern::outbound
