#include "message/encoded_word.hpp"

#include <fmt/format.h>
#include <unicode/ucnv.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <memory>

#include "core/ascii.hpp"
#include "core/encoding.hpp"
#include "message/email_address.hpp"
#include "message/header.hpp"
#include "message/transfer_encoding.hpp"

namespace postern::message {

namespace {

constexpr std::size_t kMaxEncodedWord = 75;   // RFC 2047 §2
constexpr std::size_t kLongestWord = 16'384;  // understood anyway; bounds the search for an end
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

struct Word {
  std::string charset;
  std::string bytes;
  std::size_t length = 0;  ///< in the input
};

int hex_value(char c) {
  if (ascii::is_digit(c)) return c - '0';
  const char l = ascii::lower(c);
  return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

/// RFC 2047 §4.2.
std::string decode_q(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '_') {
      out += ' ';
    } else if (text[i] == '=' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 &&
               hex_value(text[i + 2]) >= 0) {
      out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

/// An encoded word at the beginning of `text`. Spaces within it (forbidden) are forgiven.
std::optional<Word> parse_word(std::string_view text) {
  if (!text.starts_with("=?")) return std::nullopt;
  text = text.substr(0, kLongestWord);
  const auto charset_end = text.find('?', 2);
  if (charset_end == std::string_view::npos || charset_end == 2) return std::nullopt;
  if (charset_end + 2 >= text.size() || text[charset_end + 2] != '?') return std::nullopt;
  const std::string_view charset = text.substr(2, charset_end - 2);
  if (charset.find_first_of(" \t=") != std::string_view::npos) return std::nullopt;
  const std::size_t begin = charset_end + 3;
  const auto end = text.find("?=", begin);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view encoded = text.substr(begin, end - begin);
  const char encoding = ascii::lower(text[charset_end + 1]);
  Word word{std::string(charset.substr(0, charset.find('*'))), {}, end + 2};
  if (encoding == 'q') {
    word.bytes = decode_q(encoded);
  } else if (encoding == 'b') {
    word.bytes = decode_body(TransferEncoding::base64, encoded);
  } else {
    return std::nullopt;
  }
  return word;
}

std::string without_nul(std::string text) {
  std::erase(text, '\0');
  return text;
}

std::optional<std::string> convert(const char* charset, std::string_view bytes) {
  UErrorCode status = U_ZERO_ERROR;
  struct Close {
    void operator()(UConverter* converter) const { ucnv_close(converter); }
  };
  const std::unique_ptr<UConverter, Close> converter(ucnv_open(charset, &status));
  if (U_FAILURE(status) != 0) return std::nullopt;
  if (bytes.empty()) return std::string();
  std::string out(bytes.size() * 4 + 16, '\0');
  const std::int32_t length = ucnv_toAlgorithmic(
      UCNV_UTF8, converter.get(), out.data(), static_cast<std::int32_t>(out.size()), bytes.data(),
      static_cast<std::int32_t>(bytes.size()), &status);
  if (U_FAILURE(status) != 0 || length < 0) return std::nullopt;
  out.resize(std::min(static_cast<std::size_t>(length), out.size()));
  return without_nul(std::move(out));
}

/// Collects decoded words; adjacent ones of one charset are converted together, since mailers split
/// multi-byte characters between them.
class Decoder {
 public:
  std::string run(std::string_view text) {
    std::size_t plain = 0;
    std::size_t at = text.find("=?");
    while (at != std::string_view::npos) {
      auto word = parse_word(text.substr(at));
      if (!word || !known(word->charset)) {
        at = text.find("=?", at + 2);
        continue;
      }
      add_plain(text.substr(plain, at - plain));
      add_word(std::move(*word));
      plain = at += last_length_;
      at = text.find("=?", at);
    }
    flush();
    out_ += repair_utf8(text.substr(plain));
    return std::move(out_);
  }

 private:
  bool known(const std::string& charset) {
    return ascii::iequals(charset, charset_) || to_utf8(charset, {}).has_value();
  }

  void add_plain(std::string_view text) {
    const bool blank = text.find_first_not_of(" \t\r\n") == std::string_view::npos;
    if (blank && has_word_) return;
    flush();
    out_ += repair_utf8(text);
  }

  void add_word(Word word) {
    if (!ascii::iequals(word.charset, charset_)) flush();
    charset_ = word.charset;
    bytes_ += word.bytes;
    last_length_ = word.length;
    has_word_ = true;
  }

  void flush() {
    if (has_word_) out_ += to_utf8(charset_, bytes_).value_or(std::string());
    bytes_.clear();
    charset_.clear();
    has_word_ = false;
  }

  std::string out_, charset_, bytes_;
  std::size_t last_length_ = 0;
  bool has_word_ = false;
};

/// RFC 2047 §5 (3): what a Q word in a phrase may hold unencoded.
bool is_q_safe(char c) {
  return ascii::is_alnum(c) || std::string_view("!*+-/").find(c) != std::string_view::npos;
}

std::string encode_q(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    if (c == ' ') {
      out += '_';
    } else if (is_q_safe(c)) {
      out += c;
    } else {
      out += fmt::format("={:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

/// The longest prefix of whole characters with at most `limit` bytes.
std::size_t prefix_length(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text.size();
  std::size_t end = limit;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return end == 0 ? limit : end;
}

std::string as_words(std::string_view text) {
  constexpr std::size_t payload = kMaxEncodedWord - 12;  // "=?utf-8?q?" and "?="
  // Q stays readable where most characters are ASCII, and may be somewhat longer for that.
  const bool base64 = encode_q(text).size() > text.size() * 2 + 4;
  std::string out;
  while (!text.empty()) {
    std::size_t take = prefix_length(text, payload / 4 * 3);
    std::string encoded =
        base64 ? base64_encode(text.substr(0, take)) : encode_q(text.substr(0, take));
    while (encoded.size() > payload) {
      take = prefix_length(text, take - 1);
      encoded = encode_q(text.substr(0, take));
    }
    if (!out.empty()) out += ' ';
    out.append(base64 ? "=?utf-8?b?" : "=?utf-8?q?").append(encoded).append("?=");
    text.remove_prefix(take);
  }
  return out;
}

/// Control characters, line ends first of all, never reach a header.
std::string without_controls(std::string_view utf8) {
  std::string out = repair_utf8(utf8);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = ' ';
  }
  return out;
}

}  // namespace

std::string decode_words(std::string_view raw_value) { return Decoder().run(unfold(raw_value)); }

std::string encode_words(std::string_view utf8) {
  std::string text = without_controls(utf8);
  if (is_ascii(text) && text.find("=?") == std::string::npos) return text;
  return as_words(text);
}

std::string encode_phrase_words(std::string_view utf8) { return as_words(without_controls(utf8)); }

std::optional<std::string> to_utf8(std::string_view charset, std::string_view bytes) {
  constexpr std::size_t longest_name = 60;
  if (charset.empty() || charset.size() > longest_name) return std::nullopt;
  const std::string name = ascii::to_lower(charset);
  if (name == "utf-8" || name == "utf8" || name == "us-ascii" || name == "ascii")
    return repair_utf8(bytes);
  // As browsers do: Latin-1's control range is windows-1252 in practice.
  return convert(name == "iso-8859-1" ? "windows-1252" : name.c_str(), bytes);
}

std::string repair_utf8(std::string_view bytes) {
  if (is_utf8(bytes)) return without_nul(std::string(bytes));
  return convert("windows-1252", bytes).value_or(std::string(kReplacement));
}

}  // namespace postern::message
