#include "accounts/factors/recovery_codes.hpp"

#include "core/ascii.hpp"
#include "core/crypto.hpp"
#include "core/encoding.hpp"
#include "core/random.hpp"

namespace postern::accounts {

namespace {

constexpr std::size_t kCodeBytes = 10;  // 80 bits: sixteen characters without a rest
constexpr std::size_t kCodeCharacters = 16;
constexpr std::size_t kGroup = 4;
constexpr std::size_t kLongestTyped = 64;                                   // octets
constexpr std::string_view kAlphabet = "abcdefghijkmnpqrstuvwxyz23456789";  // base32_encode's
// Keeps these digests apart from every other SHA-256 in the database.
constexpr std::string_view kPurpose = "postern recovery code 1:";

std::string in_groups(std::string_view characters) {
  std::string out;
  for (std::size_t at = 0; at < characters.size(); at += kGroup) {
    if (at > 0) out += '-';
    out += characters.substr(at, kGroup);
  }
  return out;
}

}  // namespace

RecoveryCodes make_recovery_codes() {
  RecoveryCodes out;
  out.salt = random_bytes(kRecoverySaltSize);
  out.codes.reserve(kRecoveryCodes);
  out.digests.reserve(kRecoveryCodes);
  for (std::size_t i = 0; i < kRecoveryCodes; ++i) {
    auto characters = base32_encode(random_bytes(kCodeBytes));
    out.codes.push_back(in_groups(characters));
    out.digests.push_back(recovery_code_digest(out.salt, characters));
    crypto::wipe(characters);
  }
  return out;
}

std::optional<std::string> canonical_recovery_code(std::string_view typed) {
  if (typed.size() > kLongestTyped) return std::nullopt;
  auto out = ascii::to_lower(ascii::trim(typed));
  std::erase_if(out, [](char c) { return c == '-' || c == ' '; });
  if (out.size() != kCodeCharacters) return std::nullopt;
  if (out.find_first_not_of(kAlphabet) != std::string::npos) return std::nullopt;
  return out;
}

std::string recovery_code_digest(std::string_view salt, std::string_view canonical) {
  crypto::Sha256 hash;
  hash.update(kPurpose);
  hash.update(salt);
  hash.update(canonical);
  return hash.finish();
}

std::optional<std::size_t> find_recovery_code(std::string_view typed, std::string_view salt,
                                              std::span<const std::string> digests) {
  auto canonical = canonical_recovery_code(typed);
  if (!canonical) return std::nullopt;
  const auto wanted = recovery_code_digest(salt, *canonical);
  crypto::wipe(*canonical);
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < digests.size(); ++i) {
    if (crypto::constant_time_equal(digests[i], wanted)) found = i;
  }
  return found;
}

}  // namespace postern::accounts
