// What an outbound request makes of untrusted text: a URL, where a redirect of it leads, and the
// bytes of a response. The first line is the URL, the second the location, the rest the response.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/outbound/address_policy.hpp"
#include "core/outbound/response_parser.hpp"
#include "core/outbound/url.hpp"

using namespace postern;
using namespace postern::outbound;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

std::string_view take_line(std::string_view& input) {
  const auto line = input.substr(0, input.find('\n'));
  input.remove_prefix(std::min(line.size() + 1, input.size()));
  return line;
}

bool is_visible(std::string_view text) {
  for (const char c : text) {
    if (c <= ' ' || c > '~') return false;
  }
  return true;
}

// What goes into a request's first lines, a DNS question and a certificate check.
void require_canonical(const Url& url, const OutboundOptions& options) {
  require(!url.host.empty() && url.host.size() <= 253 && is_visible(url.host));
  require(url.host.find_first_of("/?#@%\\ABCDEFGHIJKLMNOPQRSTUVWXYZ") == std::string::npos);
  require(url.host.back() != '.' && url.port != 0);
  require(url.target.starts_with('/') && is_visible(url.target));
  require(url.target.find('#') == std::string::npos);
  if (url.address) require(refusal(*url.address, options.addresses).empty());
  require(url.address || url.host.find_first_not_of("0123456789.") != std::string::npos);
  const auto again = check_url(url.text(), options);
  // A canonical form may be longer than what it came from (a port or a path that was left out).
  if (url.text().size() > kMaxUrl) return;
  require(again && again->host == url.host && again->port == url.port &&
          again->target == url.target && again->same_origin(url));
}

struct Outcome {
  ResponseParser::State state = ResponseParser::State::need_more;
  unsigned status = 0;
  std::string body;
  bool operator==(const Outcome&) const = default;
};

Outcome read(std::string_view input, std::size_t slice) {
  using State = ResponseParser::State;
  OutboundLimits limits;
  limits.header_bytes = 512;
  limits.body_bytes = 256;
  ResponseParser parser(limits, ResponseParser::Body::read);
  Outcome out;
  std::string pending;
  for (;;) {
    std::size_t consumed = 0;
    out.state = parser.feed(pending, consumed);
    require(consumed <= pending.size());
    pending.erase(0, consumed);
    if (out.state != State::need_more) break;
    require(pending.size() <= limits.header_bytes);
    if (input.empty()) {
      out.state = parser.finish();
      break;
    }
    pending += input.substr(0, slice);
    input.remove_prefix(std::min(slice, input.size()));
  }
  if (out.state != State::complete) return out;
  auto response = parser.take();
  out.status = response.status;
  out.body = std::move(response.body);
  require(out.status >= 200 && out.body.size() <= limits.body_bytes);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto text = take_line(input);
  const auto location = take_line(input);
  OutboundOptions strict;
  OutboundOptions open;
  open.addresses.allow_loopback = true;
  open.allow_http_on_loopback = true;
  open.any_port = true;
  for (const OutboundOptions* options : {&strict, &open}) {
    const auto url = check_url(text, *options);
    if (!url) continue;
    require_canonical(*url, *options);
    const auto next = check_redirect(*url, location, *options);
    if (next) require_canonical(*next, *options);
    if (next && url->scheme == Scheme::https) require(next->scheme == Scheme::https);
  }
  static_cast<void>(parse_private_network(text));
  static_cast<void>(parse_outbound_proxy(text));
  static_cast<void>(is_host_pattern(text));
  // However the bytes are sliced, the same answer or none.
  const auto whole = read(input, input.size() + 1);
  const auto bytes = read(input, 1);
  require(whole == bytes);
  return 0;
}
