#include "core/id.hpp"

#include <chrono>
#include <mutex>

#include "core/encoding.hpp"
#include "core/random.hpp"

namespace postern {

namespace {
// RFC 9562 §6.2 method 2: within one millisecond the 12 bits of rand_a count up, so that ids of one
// process sort in the order they were made.
struct LastId {
  std::mutex mutex;
  std::uint64_t millis = 0;
  std::uint16_t counter = 0;
};

LastId& last_id() {
  static LastId last;
  return last;
}
}  // namespace

Uuid make_uuid() {
  Uuid id;
  fill_random(id.bytes.data(), id.bytes.size());
  auto now = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                            std::chrono::system_clock::now().time_since_epoch())
                                            .count());
  std::uint16_t counter = 0;
  {
    auto& last = last_id();
    std::scoped_lock lock(last.mutex);
    if (now > last.millis) {
      last.millis = now;
      last.counter = static_cast<std::uint16_t>((id.bytes[6] << 8 | id.bytes[7]) & 0x7ff);
    } else if (++last.counter > 0xfff) {
      ++last.millis;
      last.counter = 0;
    }
    now = last.millis;
    counter = last.counter;
  }
  for (int i = 0; i < 6; ++i) {
    id.bytes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(now >> (40 - 8 * i));
  }
  id.bytes[6] = static_cast<std::uint8_t>(0x70 | (counter >> 8));
  id.bytes[7] = static_cast<std::uint8_t>(counter & 0xff);
  id.bytes[8] = static_cast<std::uint8_t>(0x80 | (id.bytes[8] & 0x3f));
  return id;
}

std::string to_string(const Uuid& id) { return hex_encode(id.view()); }

std::optional<Uuid> parse_uuid(std::string_view text) {
  std::string compact;
  if (text.size() == 36) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
      if (dash != (text[i] == '-')) return std::nullopt;
      if (!dash) compact.push_back(text[i]);
    }
    text = compact;
  }
  if (text.size() != 32) return std::nullopt;
  auto raw = hex_decode(text);
  return raw ? uuid_from_bytes(*raw) : std::nullopt;
}

std::optional<Uuid> uuid_from_bytes(std::string_view raw) {
  Uuid id;
  if (raw.size() != id.bytes.size()) return std::nullopt;
  for (std::size_t i = 0; i < raw.size(); ++i) id.bytes[i] = static_cast<std::uint8_t>(raw[i]);
  return id;
}

}  // namespace postern
