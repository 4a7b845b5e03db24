#include "smtp/delivery/dot_stuffer.hpp"

namespace postern::smtp::delivery {

Result<std::string> DotStuffer::feed(std::string_view piece) {
  std::string out;
  out.reserve(piece.size() + piece.size() / 64 + 8);
  std::size_t done = 0;
  while (done < piece.size()) {
    if (at_ == At::after_cr) {
      if (piece[done] != '\n') return fail(Errc::corrupt, "a bare CR in a queued body");
      out.push_back('\n');
      ++done;
      at_ = At::line_start;
      continue;
    }
    if (at_ == At::line_start && piece[done] == '.') out.push_back('.');
    at_ = At::inside;
    const auto line = piece.substr(done, piece.find('\r', done) - done);
    if (line.contains('\n')) return fail(Errc::corrupt, "a bare LF in a queued body");
    out.append(line);
    done += line.size();
    if (done == piece.size()) break;
    out.push_back('\r');
    ++done;
    at_ = At::after_cr;
  }
  return out;
}

Result<std::string> DotStuffer::finish() {
  if (at_ == At::after_cr) return fail(Errc::corrupt, "a bare CR in a queued body");
  return std::string(at_ == At::line_start ? ".\r\n" : "\r\n.\r\n");
}

}  // namespace postern::smtp::delivery
