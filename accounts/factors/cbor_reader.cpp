#include "accounts/factors/cbor_reader.hpp"

namespace postern::accounts::webauthn {

namespace {

enum Major : unsigned { kUnsigned, kNegative, kBytes, kText, kArray, kMap, kTag, kSimple };

constexpr unsigned kOneByteMore = 24;  // 24..27: 1, 2, 4, 8 bytes follow
constexpr unsigned kEightBytesMore = 27;
constexpr std::uint64_t kFalse = 20;
constexpr std::uint64_t kNull = 22;

/// The smallest value that needs this many bytes after the head.
constexpr std::uint64_t smallest(std::size_t size) {
  return size == 1 ? kOneByteMore : std::uint64_t{1} << (size * 4);
}

}  // namespace

bool CborReader::take(std::uint64_t size) {
  if (size > rest_.size()) return false;
  rest_.remove_prefix(static_cast<std::size_t>(size));
  return true;
}

std::optional<CborReader::Head> CborReader::head() {
  if (rest_.empty()) return std::nullopt;
  const auto first = static_cast<unsigned char>(rest_.front());
  rest_.remove_prefix(1);
  const unsigned additional = first & 0x1fU;
  Head out{static_cast<unsigned>(first >> 5U), additional};
  if (additional < kOneByteMore) return out;
  // Tags and floats never come; simple values of two bytes neither.
  if (additional > kEightBytesMore || out.major >= kTag) return std::nullopt;
  const auto size = std::size_t{1} << (additional - kOneByteMore);
  if (size > rest_.size()) return std::nullopt;
  out.value = 0;
  for (const char c : rest_.substr(0, size)) {
    out.value = out.value << 8U | static_cast<unsigned char>(c);
  }
  rest_.remove_prefix(size);
  if (out.value < smallest(size)) return std::nullopt;
  return out;
}

std::optional<std::uint64_t> CborReader::head_of(unsigned major) {
  const auto found = head();
  if (!found || found->major != major) return std::nullopt;
  return found->value;
}

std::optional<std::int64_t> CborReader::integer() {
  const auto found = head();
  if (!found || found->major > kNegative || found->value > INT64_MAX) return std::nullopt;
  const auto value = static_cast<std::int64_t>(found->value);
  return found->major == kUnsigned ? value : -1 - value;
}

std::optional<std::string_view> CborReader::string_of(unsigned major) {
  const auto size = head_of(major);
  const auto from = rest_;
  if (!size || !take(*size)) return std::nullopt;
  return from.substr(0, static_cast<std::size_t>(*size));
}

std::optional<std::string_view> CborReader::bytes() { return string_of(kBytes); }
std::optional<std::string_view> CborReader::text() { return string_of(kText); }

std::optional<std::size_t> CborReader::size_of(unsigned major) {
  const auto size = head_of(major);
  // Every element takes a byte at least, so a caller's loop ends with the input.
  if (!size || *size > rest_.size()) return std::nullopt;
  return static_cast<std::size_t>(*size);
}

std::optional<std::size_t> CborReader::array_size() { return size_of(kArray); }
std::optional<std::size_t> CborReader::map_size() { return size_of(kMap); }

bool CborReader::skip_item(int depth) {
  const auto found = head();
  if (!found) return false;
  switch (found->major) {
    case kUnsigned:
    case kNegative: return true;
    case kBytes:
    case kText: return take(found->value);
    case kSimple: return found->value >= kFalse && found->value <= kNull;
    case kArray:
    case kMap: break;
    default: return false;
  }
  if (depth == kMaxDepth || found->value > rest_.size()) return false;
  const auto items = found->major == kMap ? found->value * 2 : found->value;
  for (std::uint64_t i = 0; i < items; ++i) {
    if (!skip_item(depth + 1)) return false;
  }
  return true;
}

std::optional<std::string_view> CborReader::skip() {
  const auto from = rest_;
  if (!skip_item(0)) return std::nullopt;
  return from.substr(0, from.size() - rest_.size());
}

}  // namespace postern::accounts::webauthn
