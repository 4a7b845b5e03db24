#include "dkim/canonical.hpp"

#include <algorithm>

#include "core/ascii.hpp"
#include "dkim/fields.hpp"

namespace postern::dkim {

namespace {
constexpr std::size_t kHashSlice = 16'384;  // octets canonicalised between two hash updates

// Whether relaxed canonicalisation leaves a piece of a line as it is: no tab, no two spaces in a
// row and none at the end. Without a branch in the loop, so that it is done sixteen octets at a
// time.
bool is_plain(std::string_view piece) {
  if (piece.empty() || piece.back() == ' ' || piece.back() == '\t') return false;
  unsigned found = 0;
  for (std::size_t i = 0; i + 1 < piece.size(); ++i) {
    const auto here = static_cast<unsigned>(piece[i] == ' ');
    const auto next = static_cast<unsigned>(piece[i + 1] == ' ');
    found |= (here & next) | static_cast<unsigned>(piece[i] == '\t');
  }
  return found == 0;
}

}  // namespace

std::string canonical_header(std::string_view field, Canon canon) {
  if (field.ends_with("\r\n")) field.remove_suffix(2);
  if (canon == Canon::simple) return std::string(field) + "\r\n";
  const auto colon = field.find(':');
  const auto name = field.substr(0, colon);
  std::string out = ascii::to_lower(ascii::trim(name));
  out += ':';
  if (colon != std::string_view::npos) out += unfold(field.substr(colon + 1));
  out += "\r\n";
  return out;
}

void BodyCanon::content(std::string_view run, std::string& out) {
  for (; pending_lines_ > 0; --pending_lines_) out += "\r\n";
  if (pending_space_) out += ' ';
  pending_space_ = false;
  out += run;
  any_ = true;
}

void BodyCanon::end_line() {
  pending_space_ = false;
  ++pending_lines_;
}

// A piece of a line: no CR in it.
void BodyCanon::line_piece(std::string_view piece, std::string& out) {
  if (pending_space_) piece.remove_prefix(std::min(piece.find_first_not_of(" \t"), piece.size()));
  if (canon_ == Canon::simple || is_plain(piece)) {
    if (!piece.empty()) content(piece, out);
    return;
  }
  while (!piece.empty()) {
    const auto end = std::ranges::find_if(piece, ascii::is_wsp);
    const auto run = piece.substr(0, static_cast<std::size_t>(end - piece.begin()));
    if (!run.empty()) content(run, out);
    piece.remove_prefix(run.size());
    if (piece.empty()) return;
    pending_space_ = true;
    piece.remove_prefix(1);
  }
}

void BodyCanon::feed(std::string_view bytes, std::string& out) {
  while (!bytes.empty()) {
    if (pending_cr_) {
      pending_cr_ = false;
      if (bytes.front() == '\n') {
        end_line();
        bytes.remove_prefix(1);
        continue;
      }
      content("\r", out);
    }
    const auto piece = bytes.substr(0, bytes.find('\r'));
    line_piece(piece, out);
    bytes.remove_prefix(piece.size());
    if (bytes.empty()) return;
    pending_cr_ = true;
    bytes.remove_prefix(1);
  }
}

void BodyCanon::finish(std::string& out) {
  if (pending_cr_) content("\r", out);
  pending_cr_ = false;
  // Trailing empty lines are dropped; the last line with content gets its CRLF whether it had one
  // or not. An empty simple body is one CRLF, an empty relaxed body is nothing (§3.4.3, §3.4.4).
  if (any_ || canon_ == Canon::simple) out += "\r\n";
}

void BodyHash::drain() {
  hash_.update(buffer_);
  buffer_.clear();
}

void BodyHash::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto slice = bytes.substr(0, kHashSlice);
    canon_.feed(slice, buffer_);
    drain();
    bytes.remove_prefix(slice.size());
  }
}

std::string BodyHash::finish() {
  canon_.finish(buffer_);
  drain();
  return hash_.finish();
}

std::string body_hash(std::string_view body, Canon canon) {
  BodyHash hash(canon);
  hash.feed(body);
  return hash.finish();
}

}  // namespace postern::dkim
