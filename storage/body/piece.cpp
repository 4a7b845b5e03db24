#include "storage/body/piece.hpp"

#include <fmt/format.h>
#include <zstd.h>

#include <memory>

#include "core/crypto.hpp"

namespace postern::storage {

namespace {

constexpr char kRaw = 0;
constexpr char kZstd = 1;
constexpr int kLevel = 1;  // mail is small and written once: speed before size

void append_be32(std::string& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(value >> shift & 0xff));
}

std::string nonce_of(std::uint32_t number) {
  std::string nonce(crypto::kNonceSize - 4, '\0');
  append_be32(nonce, number);
  return nonce;
}

/// One compression context a thread: making one costs more than compressing a piece.
ZSTD_CCtx* compressor() {
  struct Free {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  };
  thread_local std::unique_ptr<ZSTD_CCtx, Free> context(ZSTD_createCCtx());
  return context.get();
}

std::string raw(std::string_view plain) {
  std::string out;
  out.reserve(1 + plain.size());
  out.push_back(kRaw);
  out.append(plain);
  return out;
}

std::string compress(std::string_view plain) {
  std::string out;
  out.resize_and_overwrite(1 + ZSTD_compressBound(plain.size()), [&](char* to, std::size_t room) {
    const auto size =
        ZSTD_compressCCtx(compressor(), to + 1, room - 1, plain.data(), plain.size(), kLevel);
    if (ZSTD_isError(size) != 0 || size >= plain.size()) return std::size_t{0};
    to[0] = kZstd;
    return 1 + size;
  });
  return out.empty() ? raw(plain) : out;
}

/// `size` is known from outside, so that nothing inside decides how much memory is taken.
std::optional<std::string> decompress(std::string_view packed, std::size_t size) {
  if (packed.empty()) return std::nullopt;
  const char form = packed.front();
  packed.remove_prefix(1);
  if (form == kRaw) {
    if (packed.size() != size) return std::nullopt;
    return std::string(packed);
  }
  if (form != kZstd) return std::nullopt;
  std::string plain(size, '\0');
  const auto got = ZSTD_decompress(plain.data(), plain.size(), packed.data(), packed.size());
  if (ZSTD_isError(got) != 0 || got != size) return std::nullopt;
  return plain;
}

}  // namespace

BodyKey::BodyKey(const DataKey& key, ObjectId object)
    : tenant_(key.tenant),
      object_(object),
      key_(key.derive("postern body" + std::string(object.view()))) {}

BodyKey::~BodyKey() { crypto::wipe(key_); }

std::string BodyKey::associated_data(std::uint32_t number, Position position) const {
  std::string data(tenant_.view());
  data.append(object_.view());
  append_be32(data, number);
  data.push_back(static_cast<char>(position));
  return data;
}

std::string BodyKey::seal(std::uint32_t number, Position position, std::string_view plain,
                          Packing packing) const {
  return crypto::seal(key_, nonce_of(number), associated_data(number, position),
                      packing == Packing::zstd ? compress(plain) : raw(plain));
}

Result<std::string> BodyKey::open(std::uint32_t number, Position position, std::string_view sealed,
                                  std::size_t size) const {
  const auto packed =
      crypto::open(key_, nonce_of(number), associated_data(number, position), sealed);
  if (packed) {
    if (auto plain = decompress(*packed, size)) return std::move(*plain);
  }
  return fail(Errc::corrupt,
              fmt::format("piece {} of body {} doesn't open", number, object_.text()));
}

}  // namespace postern::storage
