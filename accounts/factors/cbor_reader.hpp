// The little CBOR (RFC 8949) that attestation objects and COSE keys are made of, as strictly as
// CTAP2 wants it (CTAP 2.1 §8): definite lengths, shortest heads, no tags, no floats.
//
// A reader is a view of bytes that someone else owns. Each read takes one item off the front or
// answers nullopt, after which the reader is of no more use. libfido2 has a full parser inside but
// none for the object as a whole (its version 1.12), and it passes over trailing bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace postern::accounts::webauthn {

class CborReader {
 public:
  explicit CborReader(std::string_view bytes) : rest_(bytes) {}

  std::optional<std::int64_t> integer();
  std::optional<std::string_view> bytes();
  std::optional<std::string_view> text();
  std::optional<std::size_t> array_size();
  std::optional<std::size_t> map_size();  ///< pairs
  /// One item of any kind, nested at most kMaxDepth deep: its encoded bytes.
  std::optional<std::string_view> skip();

  [[nodiscard]] std::string_view rest() const { return rest_; }
  [[nodiscard]] bool done() const { return rest_.empty(); }

  static constexpr int kMaxDepth = 4;  ///< CTAP 2.1 §8

 private:
  struct Head {
    unsigned major = 0;
    std::uint64_t value = 0;
  };
  std::optional<Head> head();
  std::optional<std::uint64_t> head_of(unsigned major);
  std::optional<std::string_view> string_of(unsigned major);
  std::optional<std::size_t> size_of(unsigned major);
  bool skip_item(int depth);
  bool take(std::uint64_t size);

  std::string_view rest_;
};

}  // namespace postern::accounts::webauthn
