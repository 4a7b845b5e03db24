#include "accounts/factors/password_policy.hpp"

#include <fmt/format.h>
#include <zxcvbn.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/ascii.hpp"
#include "core/crypto.hpp"
#include "message/email_address.hpp"

namespace postern::accounts {

namespace {

// zxcvbn's time grows faster than the length; what a password holds beyond this is not judged.
constexpr std::size_t kJudged = 64;       // octets
constexpr std::size_t kShortestWord = 3;  // shorter ones are in every password
constexpr std::size_t kMostWords = 32;

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80; }

std::size_t code_points(std::string_view utf8) {
  return static_cast<std::size_t>(
      std::ranges::count_if(utf8, [](char c) { return !is_continuation(c); }));
}

/// At most kJudged octets, cut between code points.
std::string_view judged_part(std::string_view utf8) {
  if (utf8.size() <= kJudged) return utf8;
  auto end = kJudged;
  while (end > 0 && is_continuation(utf8[end])) --end;
  return utf8.substr(0, end);
}

bool has_control_characters(std::string_view text) {
  return std::ranges::any_of(text, [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) == 0x7f;
  });
}

class Words {
 public:
  /// The text as a whole, and each of its words.
  void add(std::string_view text) {
    text = judged_part(text);
    add_word(text);
    while (!text.empty()) {
      const auto end =
          static_cast<std::size_t>(std::ranges::find_if_not(text, in_word) - text.begin());
      add_word(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
  }
  /// As zxcvbn takes them: a list that ends with a null pointer.
  [[nodiscard]] std::vector<const char*> pointers() const {
    std::vector<const char*> out;
    out.reserve(words_.size() + 1);
    for (const auto& word : words_) out.push_back(word.c_str());
    out.push_back(nullptr);
    return out;
  }

 private:
  static bool in_word(char c) {
    return ascii::is_alnum(c) || static_cast<unsigned char>(c) >= 0x80;
  }
  void add_word(std::string_view word) {
    if (word.size() < kShortestWord || words_.size() == kMostWords) return;
    if (has_control_characters(word)) return;
    words_.push_back(ascii::to_lower(word));
  }

  std::vector<std::string> words_;
};

double estimated_bits(std::string_view password, const PasswordContext& context) {
  Words words;
  for (const auto text : {context.email, context.name, context.tenant, context.product}) {
    words.add(text);
  }
  auto pointers = words.pointers();
  std::string judged(judged_part(password));
  const double bits = ZxcvbnMatch(judged.c_str(), pointers.data(), nullptr);
  crypto::wipe(judged);
  return bits;
}

}  // namespace

Result<void> check_new_password(std::string_view password, const PasswordContext& context) {
  if (password.size() > kMaxPersonPassword) {
    return fail(Errc::too_large,
                fmt::format("take a shorter password: at most {} octets", kMaxPersonPassword));
  }
  if (!message::is_utf8(password) || has_control_characters(password)) {
    return fail(Errc::invalid, "take a password of letters, digits, signs and spaces only");
  }
  if (code_points(password) < kMinPersonPassword) {
    return fail(Errc::invalid, fmt::format("take a longer password: at least {} characters; four "
                                           "words that have nothing to do with each other are good",
                                           kMinPersonPassword));
  }
  if (estimated_bits(password, context) < kMinPasswordBits) {
    return fail(Errc::invalid,
                "this password is easily guessed: take one without common words in a row, names, "
                "dates or keyboard patterns; four words that have nothing to do with each other "
                "are good");
  }
  return {};
}

}  // namespace postern::accounts
