#include "core/outbound/address_policy.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <iterator>

#include "core/ascii.hpp"
#include "core/ip_address.hpp"

namespace postern::outbound {

namespace {

enum class Kind : std::uint8_t { never, loopback, private_use };

// 128 bits; an IPv4 address lies in the topmost 32.
struct Bits {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
};

struct Range {
  Bits network;
  unsigned length;
  Kind kind;
  std::string_view rule;
};

constexpr Bits v4(std::uint64_t a, std::uint64_t b, std::uint64_t c, std::uint64_t d) {
  return {(a << 56) | (b << 48) | (c << 40) | (d << 32), 0};
}

constexpr Bits v6(std::uint64_t a, std::uint64_t b = 0, std::uint64_t c = 0, std::uint64_t h = 0) {
  return {(a << 48) | (b << 32) | (c << 16), h};
}

// The first that matches counts: metadata services before the ranges they lie in.
constexpr Range kRanges4[] = {
    {v4(169, 254, 169, 254), 32, Kind::never, "cloud metadata"},
    {v4(100, 100, 100, 200), 32, Kind::never, "cloud metadata"},
    {v4(168, 63, 129, 16), 32, Kind::never, "cloud metadata"},
    {v4(0, 0, 0, 0), 8, Kind::never, "this network (RFC 791)"},
    {v4(10, 0, 0, 0), 8, Kind::private_use, "private network (RFC 1918)"},
    {v4(100, 64, 0, 0), 10, Kind::private_use, "shared address space (RFC 6598)"},
    {v4(127, 0, 0, 0), 8, Kind::loopback, "loopback"},
    {v4(169, 254, 0, 0), 16, Kind::never, "link-local (RFC 3927)"},
    {v4(172, 16, 0, 0), 12, Kind::private_use, "private network (RFC 1918)"},
    {v4(192, 0, 0, 0), 24, Kind::never, "protocol assignments (RFC 6890)"},
    {v4(192, 0, 2, 0), 24, Kind::never, "documentation (RFC 5737)"},
    {v4(192, 88, 99, 0), 24, Kind::never, "6to4 relay (RFC 7526)"},
    {v4(192, 168, 0, 0), 16, Kind::private_use, "private network (RFC 1918)"},
    {v4(198, 18, 0, 0), 15, Kind::never, "benchmarking (RFC 2544)"},
    {v4(198, 51, 100, 0), 24, Kind::never, "documentation (RFC 5737)"},
    {v4(203, 0, 113, 0), 24, Kind::never, "documentation (RFC 5737)"},
    {v4(224, 0, 0, 0), 4, Kind::never, "multicast"},
    {v4(240, 0, 0, 0), 4, Kind::never, "reserved (RFC 1112)"},
};

constexpr Range kRanges6[] = {
    {v6(0xfd00, 0x0ec2, 0, 0x254), 128, Kind::never, "cloud metadata"},
    {v6(0xfd20, 0x00ce, 0, 0x254), 128, Kind::never, "cloud metadata"},
    {v6(0, 0, 0, 1), 128, Kind::loopback, "loopback"},
    {v6(0), 128, Kind::never, "unspecified address"},
    {v6(0, 0, 0, 0xffff'0000'0000), 96, Kind::never, "IPv4-mapped (RFC 4291)"},
    {v6(0), 96, Kind::never, "IPv4-compatible (RFC 4291)"},
    {v6(0x64, 0xff9b), 96, Kind::never, "NAT64 (RFC 6052)"},
    {v6(0x64, 0xff9b, 1), 48, Kind::never, "NAT64 (RFC 8215)"},
    {v6(0x100), 64, Kind::never, "discard only (RFC 6666)"},
    {v6(0x2001), 32, Kind::never, "Teredo (RFC 4380)"},
    {v6(0x2001), 23, Kind::never, "protocol assignments (RFC 2928)"},
    {v6(0x2001, 0x0db8), 32, Kind::never, "documentation (RFC 3849)"},
    {v6(0x2002), 16, Kind::never, "6to4 (RFC 3056)"},
    {v6(0x3fff), 20, Kind::never, "documentation (RFC 9637)"},
    {v6(0x5f00), 16, Kind::never, "segment routing (RFC 9602)"},
    {v6(0xfc00), 7, Kind::private_use, "unique local (RFC 4193)"},
    {v6(0xfe80), 10, Kind::never, "link-local (RFC 4291)"},
    {v6(0xfec0), 10, Kind::never, "site-local (RFC 3879)"},
    {v6(0xff00), 8, Kind::never, "multicast"},
};

constexpr Range kGlobalUnicast6{v6(0x2000), 3, Kind::never, {}};

Bits bits_of(const ip::address& address) {
  if (address.is_v4()) return {std::uint64_t{address.to_v4().to_uint()} << 32, 0};
  Bits out;
  const auto bytes = address.to_v6().to_bytes();
  for (std::size_t i = 0; i < 8; ++i) {
    out.high = (out.high << 8) | bytes[i];
    out.low = (out.low << 8) | bytes[i + 8];
  }
  return out;
}

// The first `length` bits are the same.
bool same_prefix(const Bits& a, const Bits& b, unsigned length) {
  if (length == 0) return true;
  if (length <= 64) return ((a.high ^ b.high) >> (64 - length)) == 0;
  return a.high == b.high && ((a.low ^ b.low) >> (128 - length)) == 0;
}

const Range* find_range(const ip::address& address) {
  const Bits bits = bits_of(address);
  const auto matches = [&bits](const Range& range) {
    return same_prefix(bits, range.network, range.length);
  };
  if (address.is_v4()) {
    const auto* found = std::ranges::find_if(kRanges4, matches);
    return found == std::end(kRanges4) ? nullptr : found;
  }
  const auto* found = std::ranges::find_if(kRanges6, matches);
  return found == std::end(kRanges6) ? nullptr : found;
}

bool contains(const Network& network, const ip::address& address) {
  return network.address.is_v4() == address.is_v4() &&
         same_prefix(bits_of(network.address), bits_of(address), network.prefix_length);
}

bool opened(const Range& range, const ip::address& address, const AddressPolicy& policy) {
  if (range.kind == Kind::loopback) return policy.allow_loopback;
  return range.kind == Kind::private_use &&
         std::ranges::any_of(policy.private_networks, [&address](const Network& network) {
           return contains(network, address);
         });
}

bool has_host_bits(const Network& network) {
  const Bits bits = bits_of(network.address);
  if (network.prefix_length == 0) return (bits.high | bits.low) != 0;
  if (network.prefix_length <= 64) {
    const unsigned length = network.prefix_length;
    return bits.low != 0 || (length < 64 && (bits.high << length) != 0);
  }
  return network.prefix_length < 128 && (bits.low << (network.prefix_length - 64)) != 0;
}

}  // namespace

Result<Network> parse_private_network(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = parse_ip(text.substr(0, slash));
  if (!address || slash == std::string_view::npos) {
    return fail(Errc::invalid, "not a network in the form address/length");
  }
  Network network{*address, 0};
  const auto length = text.substr(slash + 1);
  const bool digits = !length.empty() && std::ranges::all_of(length, ascii::is_digit);
  const auto end = length.data() + length.size();
  const auto parsed = std::from_chars(length.data(), end, network.prefix_length);
  const unsigned longest = address->is_v4() ? 32 : 128;
  if (!digits || parsed.ec != std::errc{} || network.prefix_length > longest ||
      has_host_bits(network)) {
    return fail(Errc::invalid, "not a network in the form address/length");
  }
  // A metadata service's own address lies in the range after it in the table; as a network of one
  // it would open nothing.
  const Range* range = find_range(*address);
  if (range == nullptr || range->kind != Kind::private_use ||
      network.prefix_length < range->length) {
    return fail(Errc::denied, "not wholly inside a private address range");
  }
  return network;
}

std::string_view refusal(const ip::address& address, const AddressPolicy& policy) {
  // A scope names an interface of this machine: nothing global has one.
  if (address.is_v6() && address.to_v6().scope_id() != 0) return "scoped address (RFC 4007)";
  if (const Range* range = find_range(address); range != nullptr) {
    return opened(*range, address, policy) ? std::string_view{} : range->rule;
  }
  const bool global = address.is_v4() || same_prefix(bits_of(address), kGlobalUnicast6.network,
                                                     kGlobalUnicast6.length);
  return global ? std::string_view{} : "not global unicast (RFC 4291)";
}

}  // namespace postern::outbound
