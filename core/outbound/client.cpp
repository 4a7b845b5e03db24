#include "core/outbound/client.hpp"

#include <fmt/format.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <stdexcept>

#include "core/crypto.hpp"
#include "core/outbound/bounded_stream.hpp"
#include "core/outbound/connection.hpp"

namespace postern {

namespace outbound {

namespace {

bool is_visible(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

Task<Result<void>> send(BoundedStream& bounded, const OutboundRequest& request, const Url& url,
                        std::string_view user_agent) {
  std::string head = request_head(request, url, user_agent);
  auto sent = co_await bounded.stream().write_all(head);
  crypto::wipe(head);
  if (sent && !request.body.empty()) sent = co_await bounded.stream().write_all(request.body);
  if (!sent) co_return bounded.failure(sent.error());
  co_return sent;
}

// One hop, from the name to the last byte of the answer that is asked for.
Task<Result<OutboundResponse>> exchange(const Setup& setup, const OutboundLimits& limits,
                                        const OutboundRequest& request, const Url& url,
                                        BoundedStream& bounded) {
  if (auto ok = check_allowed(url, request.allowed_hosts); !ok)
    co_return std::unexpected(ok.error());
  const auto addresses =
      co_await resolve_checked(setup.resolver, url, setup.options, bounded.end());
  if (!addresses) co_return std::unexpected(addresses.error());
  if (auto open = co_await connect(setup, limits, url, *addresses, bounded); !open) {
    co_return std::unexpected(open.error());
  }
  if (auto sent = co_await send(bounded, request, url, setup.options.user_agent); !sent) {
    co_return std::unexpected(sent.error());
  }
  ResponseParser parser(limits, request.answer == OutboundAnswer::whole
                                    ? ResponseParser::Body::read
                                    : ResponseParser::Body::none);
  std::string rest;
  auto response = co_await read_response(bounded, parser, rest);
  bounded.drop();
  co_return response;
}

// True when `response` sends `request` on, which then is for the new `url`.
Result<bool> follow(const OutboundResponse& response, const Setup& setup, OutboundRequest& request,
                    Url& url) {
  if (request.max_redirects == 0 || !is_redirect(response.status)) return false;
  const auto locations = response.count("location");
  if (locations == 0) return false;
  if (locations > 1) return fail(Errc::denied, "the redirect has more than one location");
  auto next = check_redirect(url, response.header("location"), setup.options);
  if (!next) return std::unexpected(next.error());
  apply_redirect(request, response.status, url, *next);
  url = std::move(*next);
  return true;
}

std::unexpected<Error> at_hop(unsigned hop, Error error) {
  if (hop > 0) error.message = fmt::format("after {} redirects: {}", hop, error.message);
  return std::unexpected(std::move(error));
}

Task<Result<OutboundResponse>> run(std::shared_ptr<const Setup> setup, OutboundRequest request) {
  if (auto ok = check_request(request); !ok) co_return std::unexpected(ok.error());
  auto url = check_url(request.url, setup->options);
  if (!url) co_return std::unexpected(url.error());
  const OutboundLimits limits = request.limits.value_or(setup->options.limits);
  BoundedStream bounded(co_await asio::this_coro::executor, limits.total);
  for (unsigned hop = 0;; ++hop) {
    auto response = co_await exchange(*setup, limits, request, *url, bounded);
    if (!response) co_return at_hop(hop, response.error());
    const auto more = follow(*response, *setup, request, *url);
    if (!more) co_return at_hop(hop, more.error());
    response->redirects = hop;
    if (!*more) co_return response;
    if (hop == request.max_redirects) co_return fail(Errc::denied, "too many redirects");
  }
}

using Opened = Result<std::unique_ptr<BoundedStream>>;

Task<Opened> open(std::shared_ptr<const Setup> setup, OutboundEndpoint endpoint) {
  const auto url = check_endpoint(endpoint.authority, endpoint.usual_port, setup->options);
  if (!url) co_return std::unexpected(url.error());
  if (auto ok = check_allowed(*url, endpoint.allowed_hosts); !ok) {
    co_return std::unexpected(ok.error());
  }
  const OutboundLimits limits = endpoint.limits.value_or(setup->options.limits);
  const Executor executor = co_await asio::this_coro::executor;
  auto bounded = std::make_unique<BoundedStream>(executor, limits.total);
  const auto addresses =
      co_await resolve_checked(setup->resolver, *url, setup->options, bounded->end());
  if (!addresses) co_return std::unexpected(addresses.error());
  if (auto done = co_await connect(*setup, limits, *url, *addresses, *bounded); !done) {
    co_return std::unexpected(done.error());
  }
  co_return bounded;
}

}  // namespace

}  // namespace outbound

OutboundClient::OutboundClient(dns::Resolver& resolver, std::shared_ptr<const tls::Context> context,
                               OutboundOptions options) {
  if (!context || (SSL_CTX_get_verify_mode(context->native()) & SSL_VERIFY_PEER) == 0) {
    throw std::invalid_argument("outbound HTTP needs a TLS context that verifies its peers");
  }
  if (!outbound::is_visible(options.user_agent)) {
    throw std::invalid_argument("outbound HTTP needs a user agent of visible characters");
  }
  setup_ = std::make_shared<const outbound::Setup>(
      outbound::Setup{resolver, std::move(context), std::move(options)});
}

Task<Result<OutboundResponse>> OutboundClient::fetch(OutboundRequest request) const {
  return outbound::run(setup_, std::move(request));
}

Result<outbound::Url> OutboundClient::check(std::string_view url) const {
  return outbound::check_url(url, setup_->options);
}

Task<Result<std::unique_ptr<outbound::BoundedStream>>> OutboundClient::connect(
    OutboundEndpoint endpoint) const {
  return outbound::open(setup_, std::move(endpoint));
}

Result<outbound::Url> OutboundClient::check_endpoint(std::string_view authority,
                                                     std::uint16_t usual_port) const {
  return outbound::check_endpoint(authority, usual_port, setup_->options);
}

}  // namespace postern
