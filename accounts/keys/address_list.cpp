#include "accounts/keys/address_list.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

#include "core/ip_address.hpp"

namespace postern::accounts {

namespace {

namespace ip = boost::asio::ip;

struct Network {
  std::vector<std::uint8_t> bytes;  ///< 4 or 16
  std::size_t bits = 0;             ///< of the prefix
};

std::vector<std::uint8_t> bytes_of(const ip::address& address) {
  if (address.is_v4()) {
    const auto bytes = address.to_v4().to_bytes();
    return {bytes.begin(), bytes.end()};
  }
  const auto bytes = address.to_v6().to_bytes();
  return {bytes.begin(), bytes.end()};
}

/// Digits only, no leading zero, at most `most`.
std::optional<std::size_t> parse_prefix(std::string_view text, std::size_t most) {
  std::size_t bits = 0;
  const auto* end = text.data() + text.size();
  const auto [used, error] = std::from_chars(text.data(), end, bits);
  if (error != std::errc{} || used != end || bits > most) return std::nullopt;
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  return bits;
}

/// The first `bits` bits are the same.
bool same_prefix(const std::vector<std::uint8_t>& a, const std::vector<std::uint8_t>& b,
                 std::size_t bits) {
  if (a.size() != b.size()) return false;
  const auto whole = static_cast<std::ptrdiff_t>(bits / 8);
  if (!std::equal(a.begin(), a.begin() + whole, b.begin())) return false;
  const auto rest = bits % 8;
  if (rest == 0) return true;
  const auto differing = static_cast<unsigned>(a[bits / 8] ^ b[bits / 8]);
  return (differing >> (8 - rest)) == 0;
}

bool is_first_address(const Network& network) {
  for (std::size_t bit = network.bits; bit < network.bytes.size() * 8; ++bit) {
    if ((network.bytes[bit / 8] >> (7 - bit % 8) & 1U) != 0) return false;
  }
  return true;
}

std::optional<Network> read_network(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = parse_ip(text.substr(0, slash));
  if (!address) return std::nullopt;
  if (address->is_v6() && address->to_v6().is_v4_mapped()) return std::nullopt;
  Network network{bytes_of(*address), 0};
  network.bits = network.bytes.size() * 8;
  if (slash == std::string_view::npos) return network;
  const auto bits = parse_prefix(text.substr(slash + 1), network.bits);
  if (!bits) return std::nullopt;
  network.bits = *bits;
  return network;
}

}  // namespace

Result<std::string> parse_network(std::string_view text) {
  const auto network = read_network(text);
  if (!network) {
    return fail(Errc::invalid, "not a network like 192.0.2.0/24 or 2001:db8::/32");
  }
  if (!is_first_address(*network)) {
    return fail(Errc::invalid, "the address has bits behind its network's prefix");
  }
  const auto address = parse_ip(text.substr(0, text.find('/')));
  return fmt::format("{}/{}", address->to_string(), network->bits);
}

Result<std::vector<std::string>> check_address_list(const std::vector<std::string>& texts) {
  if (texts.size() > kMaxKeyAddresses) {
    return fail(Errc::too_large, fmt::format("a key has at most {} networks", kMaxKeyAddresses));
  }
  std::vector<std::string> networks;
  networks.reserve(texts.size());
  for (const auto& text : texts) {
    auto network = parse_network(text);
    if (!network) return std::unexpected(std::move(network.error()));
    networks.push_back(std::move(*network));
  }
  std::ranges::sort(networks);
  const auto repeats = std::ranges::unique(networks);
  networks.erase(repeats.begin(), repeats.end());
  return networks;
}

bool list_allows(const std::vector<std::string>& networks, const ip::address& peer) {
  if (networks.empty()) return true;
  const bool mapped = peer.is_v6() && peer.to_v6().is_v4_mapped();
  const auto bytes =
      bytes_of(mapped ? ip::address(ip::make_address_v4(ip::v4_mapped, peer.to_v6())) : peer);
  return std::ranges::any_of(networks, [&bytes](const std::string& text) {
    const auto network = read_network(text);
    return network && same_prefix(network->bytes, bytes, network->bits);
  });
}

}  // namespace postern::accounts
