#include "message/transfer_encoding.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/ascii.hpp"
#include "core/encoding.hpp"
#include "message/lexer.hpp"

namespace postern::message {

namespace {

constexpr std::size_t kLineLength = 76;     // RFC 2045 §6.7, §6.8
constexpr std::size_t kMaxPending = 4'096;  // of a line that doesn't end

constexpr std::array<std::int8_t, 256> kBase64 = [] {
  std::array<std::int8_t, 256> table{};
  table.fill(-1);
  constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
  }
  return table;
}();

int hex_value(char c) {
  if (ascii::is_digit(c)) return c - '0';
  const char l = ascii::lower(c);
  return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

void decode_qp_text(std::string_view text, std::string& out) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '=' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 &&
        hex_value(text[i + 2]) >= 0) {
      out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
}

/// One whole line: white space at its end was added in transport; a final "=" joins it with the
/// next.
void decode_qp_line(std::string_view line, std::string& out) {
  std::string_view end = "\n";
  line.remove_suffix(1);
  if (line.ends_with('\r')) {
    end = "\r\n";
    line.remove_suffix(1);
  }
  while (!line.empty() && ascii::is_wsp(line.back())) line.remove_suffix(1);
  const bool soft = line.ends_with('=');
  if (soft) line.remove_suffix(1);
  decode_qp_text(line, out);
  if (!soft) out += end;
}

}  // namespace

TransferEncoding parse_transfer_encoding(std::string_view raw_value) {
  Lexer lexer(raw_value);
  lexer.skip_cfws();
  const std::string word = ascii::to_lower(lexer.word_until(";\"("));
  if (word.empty() || word == "7bit" || word == "8bit" || word == "binary")
    return TransferEncoding::identity;
  if (word == "base64") return TransferEncoding::base64;
  if (word == "quoted-printable") return TransferEncoding::quoted_printable;
  return TransferEncoding::unknown;
}

void Base64Decoder::feed(std::string_view text, std::string& out) {
  for (const char c : text) {
    if (c == '=') {
      // The end of a quantum; some mailers concatenate several encoded pieces, so decoding goes on.
      finish(out);
      continue;
    }
    const int value = kBase64[static_cast<unsigned char>(c)];
    if (value < 0) continue;
    bits_ = bits_ << 6U | static_cast<std::uint32_t>(value);
    if (++count_ < 4) continue;
    out += static_cast<char>(bits_ >> 16U & 0xffU);
    out += static_cast<char>(bits_ >> 8U & 0xffU);
    out += static_cast<char>(bits_ & 0xffU);
    bits_ = 0;
    count_ = 0;
  }
}

void Base64Decoder::finish(std::string& out) {
  if (count_ >= 2) out += static_cast<char>(bits_ >> (count_ == 2 ? 4U : 10U) & 0xffU);
  if (count_ == 3) out += static_cast<char>(bits_ >> 2U & 0xffU);
  bits_ = 0;
  count_ = 0;
}

void QuotedPrintableDecoder::feed(std::string_view text, std::string& out) {
  while (!text.empty()) {
    const auto lf = text.find('\n');
    const std::size_t take =
        std::min(lf == std::string_view::npos ? text.size() : lf + 1, kMaxPending);
    pending_ += text.substr(0, take);
    text.remove_prefix(take);
    if (pending_.ends_with('\n')) {
      decode_qp_line(pending_, out);
      pending_.clear();
    } else if (pending_.size() > kMaxPending) {
      // A line beyond all measure: keep only what may be the beginning of an escape or a line end.
      std::size_t keep = pending_.find_last_of("=\r");
      if (keep == std::string::npos || keep + 3 < pending_.size()) keep = pending_.size();
      decode_qp_text(std::string_view(pending_).substr(0, keep), out);
      pending_.erase(0, keep);
    }
  }
}

void QuotedPrintableDecoder::finish(std::string& out) {
  std::string_view rest = pending_;
  if (rest.ends_with('=')) rest.remove_suffix(1);
  decode_qp_text(rest, out);
  pending_.clear();
}

std::string decode_body(TransferEncoding encoding, std::string_view body) {
  std::string out;
  if (encoding == TransferEncoding::base64) {
    out.reserve(body.size() / 4 * 3 + 3);
    Base64Decoder decoder;
    decoder.feed(body, out);
    decoder.finish(out);
  } else if (encoding == TransferEncoding::quoted_printable) {
    out.reserve(body.size());
    QuotedPrintableDecoder decoder;
    decoder.feed(body, out);
    decoder.finish(out);
  } else {
    out = body;
  }
  return out;
}

std::string encode_base64_lines(std::string_view bytes) {
  constexpr std::size_t bytes_a_line = kLineLength / 4 * 3;
  std::string out;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(bytes.size(), bytes_a_line))) {
    out += base64_encode(bytes.substr(0, bytes_a_line));
    out += "\r\n";
  }
  return out;
}

std::string encode_quoted_printable(std::string_view text) {
  std::string out;
  std::size_t column = 0;
  const auto put = [&](std::string_view piece) {
    if (column + piece.size() > kLineLength - 1) {
      out += "=\r\n";
      column = 0;
    }
    out += piece;
    column += piece.size();
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const std::string_view next = text.substr(i + 1, 2);
    if (c == '\r' && next.starts_with('\n')) {
      out += "\r\n";
      column = 0;
      ++i;
      continue;
    }
    const bool ends_line = next.empty() || next == "\r\n";
    const bool plain = (c > ' ' && c < 0x7f && c != '=') || (ascii::is_wsp(c) && !ends_line);
    put(plain ? std::string(1, c) : fmt::format("={:02X}", static_cast<unsigned char>(c)));
  }
  return out;
}

}  // namespace postern::message
