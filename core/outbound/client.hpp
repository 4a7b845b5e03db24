// The one outbound client of the program: every URL that a user supplied is fetched here, and every
// other place that a user named is connected to here.
//
// It keeps a user's URL from reaching what only this machine can reach (server-side request
// forgery): strict URLs, one DNS lookup a hop with every address checked, a connection to a checked
// address and no other, a verified certificate for the URL's host, redirects only on request and
// each one checked anew. HTTP/1.1, one request a connection. Standards: RFC 9110, RFC 9112, and
// the policies of url.hpp and address_policy.hpp.
//
// Owner: one client per io thread, used from it. A fetch in progress needs the resolver, not the
// client. Errors hold no URL, header or body; their text may be shown to who supplied the URL.
//
// Deliberately missing: connection reuse, HTTP/2, cookies, compressed bodies (a response that is
// coded all the same is handed over as it came), credentials for the proxy, retries.
#pragma once

#include <memory>

#include "core/dns/dns.hpp"
#include "core/outbound/bounded_stream.hpp"
#include "core/outbound/options.hpp"
#include "core/outbound/request.hpp"
#include "core/outbound/response_parser.hpp"
#include "core/outbound/url.hpp"
#include "core/task.hpp"
#include "core/tls/context.hpp"

namespace postern {

namespace outbound {
struct Setup;
}

class OutboundClient {
 public:
  /// `context` must be a client's and verify (tls::Context::Verify::system_roots); throws
  /// std::invalid_argument when it doesn't, or when the options make no sense.
  OutboundClient(dns::Resolver& resolver, std::shared_ptr<const tls::Context> context,
                 OutboundOptions options);

  /// The answer, whatever its status. Errc::invalid: the URL or a header; Errc::denied: a rule
  /// refuses the URL, its address, a redirect or the certificate; Errc::timeout; Errc::io: DNS,
  /// connection or an answer that is not HTTP; Errc::too_large: a limit of either side.
  [[nodiscard]] Task<Result<OutboundResponse>> fetch(OutboundRequest request) const;

  /// A TLS stream to a checked address of the endpoint, its certificate verified for the host: for
  /// protocols that aren't HTTP. It is closed when the limits' total time is over. Errors as above.
  [[nodiscard]] Task<Result<std::unique_ptr<outbound::BoundedStream>>> connect(
      OutboundEndpoint endpoint) const;

  /// What can be said of a URL without a connection, for when it is configured.
  [[nodiscard]] Result<outbound::Url> check(std::string_view url) const;
  /// The same of what connect() is given.
  [[nodiscard]] Result<outbound::Url> check_endpoint(std::string_view authority,
                                                     std::uint16_t usual_port) const;

 private:
  std::shared_ptr<const outbound::Setup> setup_;
};

}  // namespace postern
