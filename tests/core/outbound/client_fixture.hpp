// A client that trusts the tests' certificate and may reach loopback, and a DNS that the test
// wrote.
#pragma once

#include <cstdlib>

#include "core/outbound/client.hpp"
#include "tests/core/outbound/test_server.hpp"
#include "tests/support/fake_resolver.hpp"

namespace postern::test {

/// For hook.example.test, localhost, 127.0.0.1 and ::1.
inline const TlsFiles& hook_files() {
  static const TlsFiles made("hook.example.test");
  return made;
}

// A context that trusts the test's certificate, as if the system did.
inline std::shared_ptr<const tls::Context> trusting() {
  ::setenv("SSL_CERT_FILE", hook_files().certificate.c_str(), 1);
  auto made = tls::Context::make_client(tls::Context::Verify::system_roots).value();
  ::unsetenv("SSL_CERT_FILE");
  return made;
}

inline OutboundOptions loopback_options() {
  OutboundOptions options;
  options.addresses.allow_loopback = true;
  options.allow_http_on_loopback = true;
  options.any_port = true;
  options.user_agent = "Test/1";
  return options;
}

inline OutboundRequest get(std::string url) {
  OutboundRequest request;
  request.url = std::move(url);
  return request;
}

inline OutboundRequest post(std::string url, std::string body) {
  OutboundRequest request = get(std::move(url));
  request.method = OutboundMethod::post;
  request.body = std::move(body);
  return request;
}

struct ClientFixture {
  ClientFixture() { resolver.add_a("hook.example.test", "127.0.0.1"); }

  Result<OutboundResponse> fetch(OutboundRequest request) {
    OutboundClient client(resolver, context, options);
    return run_task(io, client.fetch(std::move(request)));
  }
  std::optional<Errc> failure(OutboundRequest request) {
    last = fetch(std::move(request));
    return code(last);
  }

  asio::io_context io{1};
  FakeResolver resolver;
  std::shared_ptr<const tls::Context> context = trusting();
  OutboundOptions options = loopback_options();
  Result<OutboundResponse> last;
};

}  // namespace postern::test
