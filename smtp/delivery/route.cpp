#include "smtp/delivery/route.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "core/ascii.hpp"
#include "core/ip_address.hpp"
#include "core/random.hpp"

namespace postern::smtp::delivery {

namespace {
using asio::ip::address;
using queue::make_reply;
using queue::Reply;
using Answered = std::expected<Route, Reply>;

struct Network4 {
  std::uint32_t base;
  int bits;
};
// IANA IPv4 special-purpose registry: what isn't globally reachable, and multicast and above.
constexpr std::array<Network4, 15> kSpecial4{{{0x00000000, 8},
                                              {0x0a000000, 8},
                                              {0x64400000, 10},
                                              {0x7f000000, 8},
                                              {0xa9fe0000, 16},
                                              {0xac100000, 12},
                                              {0xc0000000, 24},
                                              {0xc0000200, 24},
                                              {0xc0586300, 24},
                                              {0xc0a80000, 16},
                                              {0xc6120000, 15},
                                              {0xc6336400, 24},
                                              {0xcb007100, 24},
                                              {0xe0000000, 4},
                                              {0xf0000000, 4}}};

bool is_public4(const asio::ip::address_v4& v4) {
  const auto value = v4.to_uint();
  return std::ranges::none_of(kSpecial4, [&](const Network4& net) {
    const std::uint32_t mask = ~std::uint32_t{0} << (32 - net.bits);
    return (value & mask) == net.base;
  });
}

// Global unicast is 2000::/3 (RFC 4291 §2.4); of it not 2001::/23 (protocols, Teredo),
// 2001:db8::/32 and 3fff::/20 (documentation), nor 2002::/16 (6to4, which wraps any IPv4 address).
bool is_public6(const asio::ip::address_v6& v6) {
  const auto b = v6.to_bytes();
  if ((b[0] & 0xe0) != 0x20) return false;
  if (b[0] == 0x20 && b[1] == 0x01 && b[2] < 0x02) return false;
  if (b[0] == 0x20 && b[1] == 0x01 && b[2] == 0x0d && b[3] == 0xb8) return false;
  if (b[0] == 0x20 && b[1] == 0x02) return false;
  return !(b[0] == 0x3f && b[1] == 0xff && (b[2] & 0xf0) == 0);
}

address unmapped(const address& a) {
  if (a.is_v6() && a.to_v6().is_v4_mapped())
    return asio::ip::make_address_v4(asio::ip::v4_mapped, a.to_v6());
  return a;
}

enum class Trust : std::uint8_t { dns, operators };  ///< who named the host

/// What the look-up of hosts' addresses came to.
struct Found {
  Route route;
  bool temporary = false;  ///< some look-up failed for now
  bool refused = false;    ///< some address isn't public
  bool loop = false;       ///< some address is ours
};

void add_addresses(Found& found, const DeliverySettings& settings, const std::string& host,
                   std::uint16_t port, std::vector<address> v6, std::vector<address> v4,
                   Trust trust) {
  const auto keep = [&](const address& raw) {
    const auto a = unmapped(raw);
    if (trust == Trust::operators) return true;
    if (std::ranges::find(settings.own_endpoints, asio::ip::tcp::endpoint(a, port)) !=
        settings.own_endpoints.end()) {
      found.loop = true;
      return false;
    }
    if (settings.private_addresses == PrivateAddresses::allowed || is_public(a)) return true;
    found.refused = true;
    return false;
  };
  std::erase_if(v6, [&](const address& a) { return !keep(a); });
  std::erase_if(v4, [&](const address& a) { return !keep(a); });
  // Both families in turns, so that one that is broken costs a single time-out before the other is
  // tried.
  for (std::size_t i = 0; i < std::max(v6.size(), v4.size()); ++i) {
    for (const auto* family : {&v6, &v4}) {
      if (i < family->size() && found.route.size() < settings.max_addresses) {
        found.route.push_back(Hop{host, unmapped((*family)[i]), port});
      }
    }
  }
}

Task<void> resolve_host(dns::Resolver* resolver, const DeliverySettings* settings, std::string host,
                        std::uint16_t port, Trust trust, Found* found) {
  if (const auto literal = parse_ip(host)) {
    // An MX must name a host (RFC 5321 §5.1), an operator may write an address.
    if (trust == Trust::operators)
      add_addresses(*found, *settings, host, port, {}, {*literal}, trust);
    co_return;
  }
  auto v6 = std::make_shared<const dns::Answer>();
  if (settings->ipv6 == Ipv6::on) v6 = co_await resolver->query(host, dns::Type::aaaa);
  const auto v4 = co_await resolver->query(host, dns::Type::a);
  const bool v6_unknown = settings->ipv6 == Ipv6::on && v6->status == dns::Status::temporary;
  if (v6_unknown || v4->status == dns::Status::temporary) found->temporary = true;
  add_addresses(*found, *settings, host, port, v6->addresses, v4->addresses, trust);
}

Answered conclude(Found found, const std::string& domain) {
  if (!found.route.empty()) return std::move(found.route);
  if (found.temporary) {
    return std::unexpected(
        make_reply(451, {4, 4, 3}, "the servers of " + domain + " can't be looked up now"));
  }
  if (found.loop) {
    return std::unexpected(
        make_reply(554, {5, 4, 6}, "mail for " + domain + " leads back to this server"));
  }
  if (found.refused) {
    return std::unexpected(
        make_reply(554, {5, 4, 4}, "the servers of " + domain + " have no public address"));
  }
  return std::unexpected(
      make_reply(554, {5, 4, 4}, "the servers of " + domain + " have no address"));
}

const RouteSetting* routed(const DeliverySettings& settings, std::string_view domain) {
  const RouteSetting* any = nullptr;
  for (const auto& route : settings.routes) {
    if (ascii::iequals(route.domain, domain)) return &route;
    if (route.domain == "*") any = &route;
  }
  return any;
}

Task<Answered> route_by_setting(dns::Resolver* resolver, const DeliverySettings* settings,
                                RouteSetting route) {
  Found found;
  co_await resolve_host(resolver, settings, route.host, route.port, Trust::operators, &found);
  // What the operator wrote is never wrong for good: the host may come back.
  if (found.route.empty()) found.temporary = true;
  co_return conclude(std::move(found), route.domain);
}

// RFC 5321 §5.1: by preference, equals at random. Ourselves and what is less preferred than us drop
// out.
std::vector<dns::Mx> ordered(std::vector<dns::Mx> mx, const std::string& own_name, bool& loop) {
  for (std::size_t i = mx.size(); i > 1; --i) std::swap(mx[i - 1], mx[random_below(i)]);
  std::ranges::sort(mx, {}, &dns::Mx::preference);
  std::uint32_t ours = 65'536;
  for (const auto& one : mx) {
    if (ascii::iequals(one.host, own_name)) ours = std::min<std::uint32_t>(ours, one.preference);
  }
  loop = ours != 65'536;
  std::erase_if(mx, [&](const dns::Mx& one) { return one.preference >= ours; });
  return mx;
}

Task<Answered> route_by_mx(dns::Resolver* resolver, const DeliverySettings* settings,
                           std::string domain, std::vector<dns::Mx> records) {
  if (std::ranges::all_of(records, [](const dns::Mx& mx) { return mx.host.empty(); })) {
    co_return std::unexpected(make_reply(556, {5, 1, 10}, domain + " takes no mail (null MX)"));
  }
  // A null MX among others is a mistake of the domain's (RFC 7505 §3); the others count.
  std::erase_if(records, [](const dns::Mx& mx) { return mx.host.empty(); });
  Found found;
  auto hosts = ordered(std::move(records), settings->hostname, found.loop);
  if (hosts.size() > settings->max_mx_hosts) hosts.resize(settings->max_mx_hosts);
  for (const auto& mx : hosts) {
    if (found.route.size() >= settings->max_addresses) break;
    co_await resolve_host(resolver, settings, mx.host, settings->port, Trust::dns, &found);
  }
  co_return conclude(std::move(found), domain);
}

Task<Answered> route_by_address(dns::Resolver* resolver, const DeliverySettings* settings,
                                std::string domain) {
  // RFC 5321 §5.1: without MX the domain itself is the host.
  Found found;
  co_await resolve_host(resolver, settings, domain, settings->port, Trust::dns, &found);
  if (found.route.empty() && !found.temporary && !found.loop && !found.refused) {
    co_return std::unexpected(make_reply(550, {5, 1, 2}, domain + " has no mail server"));
  }
  co_return conclude(std::move(found), domain);
}

Answered route_to_literal(const DeliverySettings& settings, const std::string& domain) {
  const auto literal = parse_address_literal(domain);
  if (!literal)
    return std::unexpected(make_reply(550, {5, 1, 3}, "not an address literal: " + domain));
  Found found;
  add_addresses(found, settings, domain, settings.port, {}, {*literal}, Trust::dns);
  return conclude(std::move(found), domain);
}
}  // namespace

bool is_public(const address& a) {
  const auto plain = unmapped(a);
  return plain.is_v4() ? is_public4(plain.to_v4()) : is_public6(plain.to_v6());
}

Task<std::expected<Route, Reply>> find_route(dns::Resolver& resolver,
                                             const DeliverySettings& settings, std::string domain) {
  if (const auto* route = routed(settings, domain))
    co_return co_await route_by_setting(&resolver, &settings, *route);
  if (domain.starts_with('[')) co_return route_to_literal(settings, domain);
  const auto answer = co_await resolver.query(domain, dns::Type::mx);
  switch (answer->status) {
    case dns::Status::ok: co_return co_await route_by_mx(&resolver, &settings, domain, answer->mx);
    case dns::Status::nodata: co_return co_await route_by_address(&resolver, &settings, domain);
    case dns::Status::nxdomain:
      co_return std::unexpected(
          make_reply(550, {5, 1, 2}, "the domain " + domain + " doesn't exist"));
    case dns::Status::temporary: break;
  }
  co_return std::unexpected(
      make_reply(451, {4, 4, 3}, "the name " + domain + " can't be looked up now"));
}

}  // namespace postern::smtp::delivery
