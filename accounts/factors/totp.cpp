#include "accounts/factors/totp.hpp"

#include <fmt/format.h>
#include <liboath/oath.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <stdexcept>

#include "core/ascii.hpp"
#include "core/crypto.hpp"
#include "core/random.hpp"

namespace postern::accounts {

namespace {

constexpr std::int64_t kWindow = 1;        // steps to either side
constexpr std::size_t kLongestTyped = 32;  // octets, spaces included

void require(int outcome) {
  if (outcome != OATH_OK) {
    throw std::runtime_error(fmt::format("liboath: {}", oath_strerror_name(outcome)));
  }
}

void start_library() {
  static const int started = oath_init();
  require(started);
}

/// The six digits, or nullopt.
std::optional<std::string> canonical_code(std::string_view typed) {
  if (typed.size() > kLongestTyped) return std::nullopt;
  std::string code(typed);
  std::erase(code, ' ');
  const bool digits = std::ranges::all_of(code, ascii::is_digit);
  if (!digits || code.size() != static_cast<std::size_t>(TotpDigits::six)) return std::nullopt;
  return code;
}

std::string label_part(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const char shown = c == ':' ? ' ' : c;
    if (ascii::is_alnum(shown) || std::string_view("-._~").contains(shown)) {
      out += shown;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(shown));
    }
  }
  return out;
}

}  // namespace

std::string make_totp_secret() { return random_bytes(kTotpSecretSize); }

std::string totp_secret_text(std::string_view secret) {
  start_library();
  char* text = nullptr;
  std::size_t size = 0;
  require(oath_base32_encode(secret.data(), secret.size(), &text, &size));
  const std::unique_ptr<char, decltype(&std::free)> owner(text, &std::free);
  std::string out(text, size);
  std::erase(out, '=');
  return out;
}

std::optional<std::string> parse_totp_secret(std::string_view text) {
  constexpr std::size_t kLongest = 2 * kTotpSecretSize;  // of the text: 32 letters, some spaces
  if (text.size() > kLongest) return std::nullopt;
  start_library();
  char* decoded = nullptr;
  std::size_t size = 0;
  if (oath_base32_decode(text.data(), text.size(), &decoded, &size) != OATH_OK) return std::nullopt;
  const std::unique_ptr<char, decltype(&std::free)> owned(decoded, &std::free);
  std::string secret(decoded, size);
  if (secret.size() != kTotpSecretSize) return std::nullopt;
  return secret;
}

std::string totp_uri(std::string_view secret, std::string_view issuer, std::string_view account) {
  const auto shown = label_part(issuer);
  return fmt::format("otpauth://totp/{}:{}?secret={}&issuer={}&algorithm=SHA1&digits=6&period={}",
                     shown, label_part(account), totp_secret_text(secret), shown, kTotpPeriod);
}

std::int64_t totp_step(Timestamp time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count() / kTotpPeriod;
}

std::string totp_code(std::string_view secret, std::int64_t step, TotpDigits digits) {
  start_library();
  std::array<char, 16> text{};
  const auto time = static_cast<time_t>(step * kTotpPeriod);
  require(oath_totp_generate(secret.data(), secret.size(), time, kTotpPeriod,
                             OATH_TOTP_DEFAULT_START_TIME, static_cast<unsigned>(digits),
                             text.data()));
  return {text.data(), static_cast<std::size_t>(digits)};
}

std::optional<std::int64_t> match_totp(std::string_view secret, std::string_view code,
                                       Timestamp now, std::optional<std::int64_t> last_step) {
  const auto typed = canonical_code(code);
  if (!typed) return std::nullopt;
  const auto middle = totp_step(now);
  std::optional<std::int64_t> matched;
  // Upwards and to the end: time says nothing about the step, and of two steps with one code the
  // later is used up, so that the code can't come again.
  for (auto step = std::max<std::int64_t>(middle - kWindow, 0); step <= middle + kWindow; ++step) {
    const bool same = crypto::constant_time_equal(totp_code(secret, step), *typed);
    if (same && (!last_step || step > *last_step)) matched = step;
  }
  return matched;
}

}  // namespace postern::accounts
