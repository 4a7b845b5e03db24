// Compact, strict reading and writing of what is stored by us alone (the index, delivery events):
// varints (LEB128) and length-prefixed strings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace postern::message {

class Encoder {
 public:
  void number(std::uint64_t value) {
    while (value >= 0x80) {
      out_ += static_cast<char>(value | 0x80U);
      value >>= 7U;
    }
    out_ += static_cast<char>(value);
  }
  void text(std::string_view value) {
    number(value.size());
    out_ += value;
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

/// After the first error every read gives 0 or empty, and ok() stays false.
class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : bytes_(bytes) {}

  std::uint64_t number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (bytes_.empty()) break;
      const auto byte = static_cast<unsigned char>(bytes_.front());
      bytes_.remove_prefix(1);
      if (shift == 63 && byte > 1) break;
      value |= std::uint64_t{byte & 0x7fU} << shift;
      if ((byte & 0x80U) == 0) {
        if (byte == 0 && shift > 0) break;  // not the shortest form
        return value;
      }
    }
    fail();
    return 0;
  }
  /// A number that must not pass `limit`.
  std::uint64_t number(std::uint64_t limit) {
    const std::uint64_t value = number();
    if (value <= limit) return value;
    fail();
    return 0;
  }
  /// A count of things that each take at least one byte.
  std::size_t count(std::size_t limit) {
    return static_cast<std::size_t>(number(limit < bytes_.size() ? limit : bytes_.size()));
  }
  std::string text() {
    const std::uint64_t size = number();
    if (size > bytes_.size()) {
      fail();
      return {};
    }
    std::string out(bytes_.substr(0, static_cast<std::size_t>(size)));
    bytes_.remove_prefix(static_cast<std::size_t>(size));
    return out;
  }
  void fail() {
    ok_ = false;
    bytes_ = {};
  }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool at_end() const { return bytes_.empty(); }

 private:
  std::string_view bytes_;
  bool ok_ = true;
};

}  // namespace postern::message
