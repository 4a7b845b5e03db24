// Bytes that mean one thing only: every field is preceded by its length, so no two different lists
// of fields have the same encoding. What MACs and signatures of this folder are computed over.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/id.hpp"
#include "core/time.hpp"

namespace postern::accounts::audit {

/// Appends to a string of the caller's, so that a loop can use one buffer.
class Encoder {
 public:
  /// `label`: what is encoded and in which version of the form.
  Encoder(std::string& out, std::string_view label) : out_(&out) {
    out.clear();
    text(label);
  }

  Encoder& text(std::string_view bytes) {
    big_endian(bytes.size());
    out_->append(bytes);
    return *this;
  }
  Encoder& number(std::int64_t value) {
    big_endian(sizeof(value));
    big_endian(static_cast<std::uint64_t>(value));
    return *this;
  }
  Encoder& number(std::uint64_t value) { return number(static_cast<std::int64_t>(value)); }
  Encoder& time(Timestamp value) { return number(to_micros(value)); }
  template <class Tag>
  Encoder& id(const Id<Tag>& value) {
    return text(value.view());
  }

 private:
  void big_endian(std::uint64_t value) {
    char bytes[sizeof(value)];
    for (int i = 7; i >= 0; --i) {
      bytes[i] = static_cast<char>(value & 0xff);
      value >>= 8;
    }
    out_->append(bytes, sizeof(bytes));
  }

  std::string* out_;
};

}  // namespace postern::accounts::audit
