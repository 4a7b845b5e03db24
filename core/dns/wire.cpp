#include "core/dns/wire.hpp"

#include <fmt/format.h>

#include "core/ascii.hpp"

namespace postern::dns {

namespace {
constexpr std::size_t kMaxWireName = 255;  // RFC 1035 §2.3.4, length octets included
constexpr std::uint8_t kPointer = 0xc0;

void append_label(std::string& out, std::string_view label) {
  if (!out.empty()) out += '.';
  for (const char c : label) {
    if (c == '.' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c <= ' ' || c >= 0x7f) {
      out += fmt::format("\\{:03}", static_cast<unsigned char>(c));
    } else {
      out += ascii::lower(c);
    }
  }
}
}  // namespace

std::optional<std::uint8_t> WireReader::u8() {
  if (position_ >= message_.size()) return std::nullopt;
  return static_cast<std::uint8_t>(message_[position_++]);
}

std::optional<std::uint16_t> WireReader::u16() {
  const auto raw = bytes(2);
  if (!raw) return std::nullopt;
  return static_cast<std::uint16_t>(static_cast<std::uint8_t>((*raw)[0]) << 8 |
                                    static_cast<std::uint8_t>((*raw)[1]));
}

std::optional<std::uint32_t> WireReader::u32() {
  const auto high = u16();
  const auto low = u16();
  if (!high || !low) return std::nullopt;
  return static_cast<std::uint32_t>(*high) << 16 | *low;
}

std::optional<std::string_view> WireReader::bytes(std::size_t size) {
  if (position_ > message_.size() || size > message_.size() - position_) return std::nullopt;
  const auto piece = message_.substr(position_, size);
  position_ += size;
  return piece;
}

bool WireReader::skip(std::size_t size) { return bytes(size).has_value(); }

std::optional<std::string> WireReader::name() {
  std::string out;
  std::size_t wire_size = 1;  // the root's octet
  WireReader in = *this;
  std::size_t lowest = position_;  // a pointer must lead before every place the name has been
  bool jumped = false;
  for (;;) {
    const auto length = in.u8();
    if (!length) return std::nullopt;
    if ((*length & kPointer) == kPointer) {
      const auto low = in.u8();
      if (!low) return std::nullopt;
      if (!jumped) position_ = in.position_;
      jumped = true;
      const std::size_t target = static_cast<std::size_t>(*length & ~kPointer) << 8 | *low;
      if (target >= lowest) return std::nullopt;
      lowest = target;
      in.position_ = target;
      continue;
    }
    if ((*length & kPointer) != 0) return std::nullopt;
    if (*length == 0) break;
    wire_size += *length + 1U;
    const auto label = in.bytes(*length);
    if (!label || wire_size > kMaxWireName) return std::nullopt;
    append_label(out, *label);
  }
  if (!jumped) position_ = in.position_;
  return out;
}

}  // namespace postern::dns
