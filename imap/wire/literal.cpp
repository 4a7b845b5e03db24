#include "imap/wire/literal.hpp"

#include <limits>

#include "core/ascii.hpp"

namespace postern::imap {

std::optional<LiteralSpec> find_literal(std::string_view line) {
  if (!line.ends_with('}')) return std::nullopt;
  const auto open = line.rfind('{');
  if (open == std::string_view::npos || line.size() - open > kMaxLiteralSpec) return std::nullopt;
  LiteralSpec spec;
  spec.length = line.size() - open;
  auto digits = line.substr(open + 1, spec.length - 2);
  if (digits.ends_with('+')) {
    spec.mode = LiteralMode::non_synchronizing;
    digits.remove_suffix(1);
  }
  if (digits.empty() || digits.size() > 19) return std::nullopt;
  for (const char c : digits) {
    if (!ascii::is_digit(c)) return std::nullopt;
    spec.size = spec.size * 10 + static_cast<std::uint64_t>(c - '0');
  }
  if (spec.size > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return std::nullopt;
  }
  return spec;
}

}  // namespace postern::imap
