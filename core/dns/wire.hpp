// A bounds-checked reader over a DNS message: numbers, bytes and compressed names (RFC 1035
// §4.1.4). A copy is a second cursor over the same bytes, which must outlive both.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::dns {

class WireReader {
 public:
  explicit WireReader(std::string_view message) : message_(message) {}
  /// A reader of the same message at another offset (names may point anywhere before themselves).
  [[nodiscard]] WireReader at(std::size_t offset) const {
    WireReader other(message_);
    other.position_ = offset;
    return other;
  }
  [[nodiscard]] std::size_t position() const { return position_; }

  std::optional<std::uint8_t> u8();
  std::optional<std::uint16_t> u16();
  std::optional<std::uint32_t> u32();
  std::optional<std::string_view> bytes(std::size_t size);
  bool skip(std::size_t size);
  /// Lower case, escaped presentation form, no final dot; the root is "". Pointers may only lead
  /// backwards, so that every name ends.
  std::optional<std::string> name();

 private:
  std::string_view message_;
  std::size_t position_ = 0;
};

}  // namespace postern::dns
