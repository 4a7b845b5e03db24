#include "accounts/factors/one_time_token.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <stdexcept>

#include "core/ascii.hpp"
#include "core/crypto.hpp"
#include "core/encoding.hpp"
#include "core/random.hpp"

namespace postern::accounts {

namespace {

constexpr std::size_t kTokenBytes = 32;
constexpr std::size_t kBody = 43;  // base64url of kTokenBytes
constexpr std::size_t kChecksum = 6;
constexpr std::size_t kLongestPrefix = 24;
constexpr std::size_t kCodeDigits = 6;
constexpr std::size_t kLongestTyped = 32;
constexpr std::string_view kChecksumPurpose = "postern token checksum 1:";
constexpr std::string_view kCodePurpose = "postern email code 1:";

bool is_prefix(std::string_view text) {
  if (text.size() < 2 || text.size() > kLongestPrefix || text.back() != '_') return false;
  return ascii::is_alpha(text.front()) && std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || ascii::is_digit(c) || c == '_';
         });
}

std::string checksum(std::string_view prefix_and_body) {
  crypto::Sha256 hash;
  hash.update(kChecksumPurpose);
  hash.update(prefix_and_body);
  return base32_encode(hash.finish()).substr(0, kChecksum);
}

/// The prefix of a well-formed token.
std::optional<std::string_view> token_prefix(std::string_view text) {
  if (text.size() <= kBody + kChecksum || text.size() > kLongestPrefix + kBody + kChecksum) {
    return std::nullopt;
  }
  const auto signed_part = text.substr(0, text.size() - kChecksum);
  const auto prefix = signed_part.substr(0, signed_part.size() - kBody);
  if (!is_prefix(prefix) || !base64url_decode(signed_part.substr(prefix.size()))) {
    return std::nullopt;
  }
  const auto given = text.substr(signed_part.size());
  if (!crypto::constant_time_equal(checksum(signed_part), given)) return std::nullopt;
  return prefix;
}

}  // namespace

std::string make_secret_token(std::string_view prefix) {
  if (!is_prefix(prefix)) throw std::invalid_argument("a token's prefix is like pst_key_");
  auto text = std::string(prefix) + base64url_encode(random_bytes(kTokenBytes));
  return text + checksum(text);
}

std::optional<std::string> token_digest(std::string_view text) {
  if (!token_prefix(text)) return std::nullopt;
  return crypto::sha256(text);
}

std::optional<std::string> token_digest(std::string_view text, std::string_view prefix) {
  if (token_prefix(text) != prefix) return std::nullopt;
  return crypto::sha256(text);
}

std::string make_email_code() {
  constexpr std::uint32_t kCodes = 1'000'000;
  constexpr std::uint32_t kLimit = UINT32_MAX - UINT32_MAX % kCodes;  // above it: draw again
  std::uint32_t value = 0;
  do {
    fill_random(&value, sizeof value);
  } while (value >= kLimit);
  return fmt::format("{:06}", value % kCodes);
}

std::optional<std::string> email_code_mac(std::string_view key, std::string_view flow_id,
                                          std::string_view typed) {
  if (typed.size() > kLongestTyped) return std::nullopt;
  std::string code(typed);
  std::erase(code, ' ');
  const bool digits = std::ranges::all_of(code, ascii::is_digit);
  if (!digits || code.size() != kCodeDigits) return std::nullopt;
  // The code has one length, so where the flow's id begins is never in doubt.
  return crypto::hmac_sha256(key, std::string(kCodePurpose) + code + std::string(flow_id));
}

bool email_code_matches(std::string_view key, std::string_view flow_id, std::string_view typed,
                        std::string_view stored_mac) {
  const auto mac = email_code_mac(key, flow_id, typed);
  return mac && crypto::constant_time_equal(*mac, stored_mac);
}

}  // namespace postern::accounts
