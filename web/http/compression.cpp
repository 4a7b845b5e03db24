#include "web/http/compression.hpp"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "core/ascii.hpp"

namespace postern::web {

namespace {

constexpr std::size_t kShortest = 1024;  // octets: below it, headers cost more than is saved
constexpr int kZstdLevel = 3;
constexpr int kGzipWindow = 15 + 16;  // zlib's way to ask for gzip
constexpr std::array<std::string_view, 5> kCompressible{"application/json",
                                                        "application/problem+json", "text/",
                                                        "application/javascript", "image/svg+xml"};

std::string_view trim(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

// "gzip;q=0" is a refusal, "Q" or "q" (RFC 9110 §12.4.2).
bool refused(std::string_view parameters) {
  const auto at = parameters.find_first_of("qQ");
  if (at == std::string_view::npos || !parameters.substr(at + 1).starts_with('=')) return false;
  return trim(parameters.substr(at + 2)).find_first_not_of("0.") == std::string_view::npos;
}

bool compressible(const Response& response) {
  if (response.secrecy == Response::Secrecy::secret || response.body.size() < kShortest)
    return false;
  for (const auto& [name, value] : response.headers) {
    // A strong entity tag is of these very octets (RFC 9110 §8.8.1).
    if (ascii::iequals(name, "Set-Cookie") || ascii::iequals(name, "Content-Encoding") ||
        ascii::iequals(name, "ETag")) {
      return false;
    }
  }
  return std::ranges::any_of(kCompressible, [&](std::string_view kind) {
    return response.content_type.starts_with(kind);
  });
}

std::optional<std::string> zstd(const std::string& body) {
  std::string out(ZSTD_compressBound(body.size()), '\0');
  const auto size = ZSTD_compress(out.data(), out.size(), body.data(), body.size(), kZstdLevel);
  if (ZSTD_isError(size) != 0) return std::nullopt;
  out.resize(size);
  return out;
}

std::optional<std::string> gzip(const std::string& body) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, 8,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    return std::nullopt;
  }
  std::string input = body;  // zlib's interface isn't const
  std::string out(deflateBound(&stream, static_cast<uLong>(body.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int outcome = deflate(&stream, Z_FINISH);
  const auto size = stream.total_out;
  deflateEnd(&stream);
  if (outcome != Z_STREAM_END) return std::nullopt;
  out.resize(size);
  return out;
}

}  // namespace

AcceptedEncodings accepted_encodings(const Request& request) {
  AcceptedEncodings accepted;
  const auto header = request.headers.find("accept-encoding");
  if (header == request.headers.end()) return accepted;
  std::string_view rest = header->second;
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    const auto entry = rest.substr(0, comma);
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    const auto semicolon = entry.find(';');
    const auto coding = trim(entry.substr(0, semicolon));
    const bool allowed =
        semicolon == std::string_view::npos || !refused(entry.substr(semicolon + 1));
    if (ascii::iequals(coding, "gzip") || ascii::iequals(coding, "x-gzip")) accepted.gzip = allowed;
    if (ascii::iequals(coding, "zstd")) accepted.zstd = allowed;
  }
  return accepted;
}

void compress(Response& response, AcceptedEncodings accepted) {
  if (!compressible(response)) return;
  response.headers.emplace_back("Vary", "Accept-Encoding");
  if (!accepted.zstd && !accepted.gzip) return;
  auto smaller = accepted.zstd ? zstd(response.body) : gzip(response.body);
  if (!smaller || smaller->size() >= response.body.size()) return;
  response.body = std::move(*smaller);
  response.headers.emplace_back("Content-Encoding", accepted.zstd ? "zstd" : "gzip");
}

}  // namespace postern::web
