// The strict decoder: fed at once and sliced, it must agree; and no line end but CRLF counts.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "smtp/server/line_decoder.hpp"
#include "smtp/server/text_decoder.hpp"

using namespace postern::smtp;

namespace {

struct Outcome {
  std::string text;
  Fault fault = Fault::none;
  std::size_t consumed = 0;
  bool ended = false;
};

constexpr TextLimits kLimits{20, 400, 60, 5};

// `seed` picks the slices; 0 is one slice.
std::size_t slice_size(std::uint32_t& seed, std::size_t left) {
  if (seed == 0) return left;
  seed = seed * 1664525U + 1013904223U;
  seed |= 1U;
  return std::min<std::size_t>(left, 1 + (seed >> 16) % 9);
}

Outcome run_data(std::string input, std::uint32_t seed) {
  TextDecoder decoder(kLimits);
  Outcome out;
  while (out.consumed < input.size() && !out.ended) {
    const std::size_t n = slice_size(seed, input.size() - out.consumed);
    const auto piece = decoder.next_data({input.data() + out.consumed, n});
    out.text += piece.text;
    out.consumed += piece.consumed;
    out.ended = piece.end;
  }
  out.fault = decoder.fault();
  if (out.fault != Fault::none) out.text.clear();
  return out;
}

Outcome run_chunks(std::string input, std::uint32_t seed) {
  TextDecoder decoder(kLimits);
  Outcome out;
  while (out.consumed < input.size()) {
    const std::size_t n = slice_size(seed, input.size() - out.consumed);
    const auto piece = decoder.next_chunk({input.data() + out.consumed, n});
    out.text += piece.text;
    out.consumed += piece.consumed;
  }
  decoder.finish();
  out.fault = decoder.fault();
  if (out.fault != Fault::none) out.text.clear();
  return out;
}

std::string run_lines(const std::string& input, std::uint32_t seed) {
  LineDecoder decoder;
  std::string buffer;
  std::string seen;
  for (std::size_t at = 0; at < input.size();) {
    const std::size_t n = slice_size(seed, input.size() - at);
    buffer.append(input, at, n);
    at += n;
    while (!buffer.empty()) {
      const auto result = decoder.next(buffer, 30);
      if (result.consumed > buffer.size() || result.text.size() > 31) std::abort();
      if (result.status == LineDecoder::Status::line) {
        if (result.text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos)
          std::abort();
        seen.append("L").append(result.text).append("\n");
      }
      if (result.status == LineDecoder::Status::fault)
        seen.append("F").append(to_string(result.fault)).append("\n");
      buffer.erase(0, result.consumed);
      if (result.status == LineDecoder::Status::need_more && result.consumed == 0) break;
    }
  }
  return seen;
}

// The message end by the book: the first CRLF.CRLF, or a leading .CRLF.
std::size_t true_end(const std::string& input) {
  if (input.starts_with(".\r\n")) return 3;
  const auto at = input.find("\r\n.\r\n");
  return at == std::string::npos ? std::string::npos : at + 5;
}

std::string stuffed(const std::string& text) {
  std::string out = text.starts_with('.') ? "." + text : text;
  for (std::size_t at = 0; (at = out.find("\r\n.", at)) != std::string::npos; at += 4) {
    out.insert(at + 2, ".");
  }
  return out + ".\r\n";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return 0;
  const std::uint32_t seed = 1U | (std::uint32_t{data[0]} << 8) | (std::uint32_t{data[1]} << 16);
  const std::string input(reinterpret_cast<const char*>(data) + 2, size - 2);

  const Outcome once = run_data(input, 0);
  const Outcome sliced = run_data(input, seed);
  if (once.text != sliced.text || once.fault != sliced.fault || once.consumed != sliced.consumed ||
      once.ended != sliced.ended)
    std::abort();
  if (once.ended != (true_end(input) != std::string::npos)) std::abort();
  if (once.ended && once.consumed != true_end(input)) std::abort();
  if (once.ended && once.fault == Fault::none) {
    const Outcome again = run_data(stuffed(once.text), 0);
    if (!again.ended || again.text != once.text) std::abort();
  }

  const Outcome chunk = run_chunks(input, 0);
  const Outcome chunks = run_chunks(input, seed);
  if (chunk.text != chunks.text || chunk.fault != chunks.fault) std::abort();
  if (chunk.fault == Fault::none && chunk.text != input) std::abort();

  if (run_lines(input, 0) != run_lines(input, seed)) std::abort();
  return 0;
}
