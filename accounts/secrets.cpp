// The text forms of passwords (declared in credentials.hpp).
#include <fmt/format.h>

#include "accounts/credentials.hpp"
#include "core/ascii.hpp"
#include "core/encoding.hpp"
#include "core/random.hpp"
#include "message/email_address.hpp"

namespace postern::accounts {

namespace {

constexpr std::size_t kSelector = 8;  // characters of 5 bits
constexpr std::size_t kGroups = 5;
constexpr std::size_t kGroup = 5;
constexpr std::string_view kAlphabet = "abcdefghijkmnpqrstuvwxyz23456789";  // base32_encode's

/// `characters` of 5 random bits each.
std::string random_text(std::size_t characters) {
  return base32_encode(random_bytes(characters * 5 / 8 + 1)).substr(0, characters);
}

std::string random_groups() {
  const auto raw = random_text(kGroups * kGroup);
  std::string out;
  for (std::size_t i = 0; i < kGroups; ++i) {
    if (i > 0) out += '-';
    out += raw.substr(i * kGroup, kGroup);
  }
  return out;
}

bool in_alphabet(std::string_view text) {
  return text.find_first_not_of(kAlphabet) == std::string_view::npos;
}

/// XXXXX-XXXXX-XXXXX-XXXXX-XXXXX
bool is_groups(std::string_view text) {
  if (text.size() != kGroups * (kGroup + 1) - 1) return false;
  for (std::size_t i = 0; i < kGroups; ++i) {
    const auto at = i * (kGroup + 1);
    if (!in_alphabet(text.substr(at, kGroup))) return false;
    if (i > 0 && text[at - 1] != '-') return false;
  }
  return true;
}

}  // namespace

AppPassword make_app_password() {
  auto selector = random_text(kSelector);
  auto text = fmt::format("{}{}-{}", kAppPasswordPrefix, selector, random_groups());
  return {std::move(selector), std::move(text)};
}

std::string make_password() { return random_groups(); }

std::optional<std::string> app_password_selector(std::string_view text) {
  constexpr std::size_t kLongest = 128;
  text = ascii::trim(text);
  if (text.size() > kLongest) return std::nullopt;
  const auto lower = ascii::to_lower(text);
  const std::string_view view = lower;
  if (!view.starts_with(kAppPasswordPrefix)) return std::nullopt;
  const auto rest = view.substr(kAppPasswordPrefix.size());
  if (rest.size() < kSelector + 1 || rest[kSelector] != '-') return std::nullopt;
  const auto selector = rest.substr(0, kSelector);
  if (!in_alphabet(selector) || !is_groups(rest.substr(kSelector + 1))) return std::nullopt;
  return std::string(selector);
}

std::string canonical_secret(std::string_view password) {
  if (!app_password_selector(password)) return std::string(password);
  return ascii::to_lower(ascii::trim(password));
}

Result<void> check_password(std::string_view password) {
  if (password.size() < kMinPassword) {
    return fail(Errc::invalid, fmt::format("a password has at least {} characters", kMinPassword));
  }
  if (password.size() > kMaxPassword) {
    return fail(Errc::invalid, fmt::format("a password has at most {} octets", kMaxPassword));
  }
  if (!message::is_utf8(password)) return fail(Errc::invalid, "a password is UTF-8 text");
  for (const char c : password) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      return fail(Errc::invalid, "a password holds no control characters");
    }
  }
  if (ascii::istarts_with(ascii::trim(password), kAppPasswordPrefix)) {
    return fail(Errc::invalid, fmt::format("a password can't begin with {}: app passwords do",
                                           kAppPasswordPrefix));
  }
  return {};
}

}  // namespace postern::accounts
