#include "accounts/audit/stream/destination.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/ascii.hpp"
#include "core/crypto.hpp"
#include "core/outbound/url.hpp"

namespace postern::accounts::audit {

namespace {

constexpr std::string_view kHttps = "https://";
constexpr std::string_view kSyslog = "syslog+tls://";
constexpr char kBetween = '\n';  // of URL and secret: neither can hold one

std::string_view scheme_of(Transport transport) {
  return transport == Transport::https ? kHttps : kSyslog;
}

}  // namespace

std::string_view Destination::authority() const {
  return std::string_view(origin).substr(scheme_of(transport).size());
}

Result<Destination> parse_destination(std::string_view url) {
  if (url.size() > outbound::kMaxUrl || !outbound::is_url_text(url)) {
    return fail(Errc::invalid,
                fmt::format("a URL is at most {} visible characters of ASCII", outbound::kMaxUrl));
  }
  Destination out;
  out.url = url;
  if (ascii::istarts_with(url, kSyslog)) {
    out.transport = Transport::syslog;
  } else if (!ascii::istarts_with(url, kHttps)) {
    return fail(Errc::invalid, "the URL must begin with https:// or syslog+tls://");
  }
  const auto scheme = scheme_of(out.transport);
  url.remove_prefix(scheme.size());
  const auto authority = url.substr(0, url.find_first_of("/?#"));
  const auto rest = url.substr(authority.size());
  if (out.transport == Transport::syslog && !rest.empty() && rest != "/") {
    return fail(Errc::invalid, "a syslog URL has nothing behind host and port");
  }
  out.origin = std::string(scheme) + std::string(authority);
  return out;
}

Result<void> check_destination(const OutboundClient& client, const Destination& destination,
                               const std::optional<std::vector<std::string>>& allowed_hosts) {
  const auto url = destination.transport == Transport::https
                       ? client.check(destination.url)
                       : client.check_endpoint(destination.authority(), kSyslogPort);
  if (!url) return std::unexpected(url.error());
  return outbound::check_allowed(*url, allowed_hosts);
}

Result<void> check_stream_secret(std::string_view secret) {
  const auto visible = [](char c) { return c > ' ' && c <= '~'; };
  if (secret.empty() || secret.size() > kMaxStreamSecret || !std::ranges::all_of(secret, visible)) {
    return fail(Errc::invalid,
                fmt::format("a secret is 1 to {} visible characters of ASCII", kMaxStreamSecret));
  }
  return {};
}

Result<std::string> seal_destination(storage::MasterKey& master, std::string_view context,
                                     const Destination& destination) {
  std::string plain = destination.url + kBetween + destination.secret;
  auto sealed = master.wrap(context, plain);
  crypto::wipe(plain);
  return sealed;
}

Result<Destination> open_destination(storage::MasterKey& master, std::string_view context,
                                     std::string_view sealed) {
  auto plain = master.unwrap(context, sealed);
  if (!plain) return std::unexpected(plain.error());
  const auto end = plain->find(kBetween);
  auto out = parse_destination(std::string_view(*plain).substr(0, end));
  if (out && end != std::string::npos) out->secret = plain->substr(end + 1);
  crypto::wipe(*plain);
  return out;
}

}  // namespace postern::accounts::audit
