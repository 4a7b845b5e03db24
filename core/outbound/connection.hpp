// From checked addresses to a stream that a request can be written to: TCP, the proxy's CONNECT if
// there is one, TLS.
//
// The addresses have passed the policy; nothing is looked up again, except the proxy's own name.
// The TLS name is always the URL's host. What the proxy answers is untrusted and not repeated.
#pragma once

#include <memory>

#include "core/outbound/bounded_stream.hpp"
#include "core/outbound/options.hpp"
#include "core/outbound/resolve.hpp"
#include "core/outbound/response_parser.hpp"
#include "core/outbound/url.hpp"

namespace postern::outbound {

/// What every fetch of a client shares; outlives it by shared_ptr.
struct Setup {
  dns::Resolver& resolver;
  std::shared_ptr<const tls::Context> tls;
  OutboundOptions options;
};

/// Puts a stream into `bounded`. Errc::denied: the peer's certificate doesn't verify, or the
/// connection is not to the address that was checked. All arguments must stay alive.
Task<Result<void>> connect(const Setup& setup, const OutboundLimits& limits, const Url& url,
                           const Addresses& addresses, BoundedStream& bounded);

/// One response from the stream. `rest`: what was received after it.
Task<Result<OutboundResponse>> read_response(BoundedStream& bounded, ResponseParser& parser,
                                             std::string& rest);

}  // namespace postern::outbound
