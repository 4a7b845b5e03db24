#include "smtp/queue/message.hpp"

#include <algorithm>

#include "core/ascii.hpp"
#include "core/crypto.hpp"

namespace postern::smtp::queue {

std::string_view to_string(State state) {
  switch (state) {
    case State::queued: return "queued";
    case State::delivered: return "delivered";
    case State::failed: return "failed";
    case State::expired: return "expired";
    case State::held: return "held";
    case State::dropped: return "dropped";
  }
  return "queued";
}

std::string_view to_string(Transport transport) {
  return transport == Transport::local ? "local" : "remote";
}

std::string Notify::text() const {
  if (has(kNever)) return "NEVER";
  std::string out;
  const auto add = [&](std::uint8_t bit, std::string_view word) {
    if (!has(bit)) return;
    if (!out.empty()) out += ',';
    out += word;
  };
  add(kSuccess, "SUCCESS");
  add(kFailure, "FAILURE");
  add(kDelay, "DELAY");
  return out;
}

std::string fingerprint(std::string_view return_path, const std::vector<NewRecipient>& recipients) {
  std::vector<std::string_view> addresses;
  addresses.reserve(recipients.size());
  for (const auto& recipient : recipients) addresses.push_back(recipient.address);
  std::ranges::sort(addresses);
  crypto::Sha256 hash;
  hash.update(return_path);
  for (const auto address : addresses) {
    hash.update("\n");  // no address holds a line end, so that the parts can't run together
    hash.update(address);
  }
  return hash.finish();
}

std::string destination_of(std::string_view address) {
  const auto at = address.rfind('@');
  return at == std::string_view::npos ? std::string() : ascii::to_lower(address.substr(at + 1));
}

namespace {
constexpr std::size_t kTimeBytes = 6;
}

DeliveryId delivery_id(MessageId message, std::uint32_t recipient) {
  std::string text = "postern delivery";
  text += message.view();
  for (int shift = 24; shift >= 0; shift -= 8) {
    text.push_back(static_cast<char>(recipient >> shift & 0xff));
  }
  DeliveryId id{
      uuid_from_bytes(std::string_view(crypto::sha256(text)).substr(0, 16)).value_or(Uuid{})};
  // The time of a UUIDv7 (RFC 9562 §5.7): applied ids are forgotten by their age.
  std::copy_n(message.value.bytes.begin(), kTimeBytes, id.value.bytes.begin());
  return id;
}

}  // namespace postern::smtp::queue
