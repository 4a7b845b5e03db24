#include "smtp/server/line_decoder.hpp"

#include <algorithm>

namespace postern::smtp {

namespace {

constexpr std::string_view kSpecial("\r\n\0", 3);

Fault fault_of(char c) {
  if (c == '\n') return Fault::bare_lf;
  return c == '\r' ? Fault::bare_cr : Fault::nul;
}

}  // namespace

// Drops a faulty line up to its CRLF: what follows a bare LF in it is not a command.
LineDecoder::Result LineDecoder::skip(std::string_view pending) {
  for (std::size_t at = 0; at < pending.size(); ++at) {
    at = pending.find('\n', at);
    if (at == std::string_view::npos) break;
    if (at > 0 ? pending[at - 1] == '\r' : skipped_cr_) {
      skipping_ = skipped_cr_ = false;
      return {Status::need_more, at + 1};
    }
  }
  if (!pending.empty()) skipped_cr_ = pending.back() == '\r';
  return {Status::need_more, pending.size()};
}

LineDecoder::Result LineDecoder::next(std::string_view pending, std::size_t limit) {
  if (skipping_) return skip(pending);
  const std::size_t at = std::min(pending.find_first_of(kSpecial, scanned_), pending.size());
  if (at > limit) {
    scanned_ = 0;
    skipping_ = true;
    return {Status::fault, limit + 1, pending.substr(0, limit + 1), Fault::line_too_long};
  }
  if (at == pending.size() || (pending[at] == '\r' && at + 1 == pending.size())) {
    scanned_ = at;
    return {};
  }
  scanned_ = 0;
  if (pending[at] == '\r' && pending[at + 1] == '\n') {
    return {Status::line, at + 2, pending.substr(0, at)};
  }
  skipping_ = true;
  return {Status::fault, at + 1, pending.substr(0, at), fault_of(pending[at])};
}

}  // namespace postern::smtp
