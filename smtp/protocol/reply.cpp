#include "smtp/protocol/reply.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>

namespace postern::smtp {

namespace {

constexpr std::size_t kMaxReplyLine = 510;  // RFC 5321 §4.5.3.1.5, without CRLF

// A peer's words may be quoted in a reply: they must not end its line or reach a terminal raw.
void append_printable(std::string& out, std::string_view text) {
  std::transform(text.begin(), text.end(), std::back_inserter(out),
                 [](char c) { return c >= ' ' && c <= '~' ? c : '?'; });
}

}  // namespace

std::string to_string(EnhancedStatus status) {
  if (!status.present()) return {};
  return fmt::format("{}.{}.{}", status.klass, status.subject, status.detail);
}

void append_reply(std::string& out, const Reply& reply) {
  const std::string status = to_string(reply.status);
  std::string_view rest = reply.text;
  for (bool last = false; !last;) {
    const auto newline = rest.find('\n');
    last = newline == std::string_view::npos;
    const std::size_t start = out.size();
    fmt::format_to(std::back_inserter(out), "{}{}", reply.code, last ? ' ' : '-');
    if (!status.empty()) out.append(status).push_back(' ');
    append_printable(out, rest.substr(0, newline));
    if (out.size() - start > kMaxReplyLine) out.resize(start + kMaxReplyLine);
    out.append("\r\n");
    if (!last) rest.remove_prefix(newline + 1);
  }
}

}  // namespace postern::smtp
