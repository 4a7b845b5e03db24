#include "accounts/people/stored.hpp"

#include <fmt/format.h>

#include "message/email_address.hpp"

namespace postern::accounts {

namespace {

/// The text up to the next `separator`, which is taken off with it.
std::string_view take(std::string_view& text, char separator) {
  const auto end = text.find(separator);
  const auto taken = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return taken;
}

}  // namespace

std::string join_lines(const std::vector<std::string>& names) {
  return fmt::format("{}", fmt::join(names, "\n"));
}

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> names;
  while (!text.empty()) names.emplace_back(take(text, '\n'));
  return names;
}

Result<std::string> permissions_text(const PermissionSet& permissions) {
  if (permissions.empty()) return fail(Errc::invalid, "name at least one permission");
  if (!PermissionSet::all(Realm::tenant).contains(permissions)) {
    return fail(Errc::invalid, "a permission of the platform can't be given in a tenant");
  }
  return permissions.text();
}

PermissionSet read_permissions(std::string_view text) {
  PermissionSet set;
  while (!text.empty()) {
    const auto permission = parse_permission(take(text, ','));
    if (permission && realm_of(*permission) == Realm::tenant) set.add(*permission);
  }
  return set;
}

Result<void> check_digest(std::string_view digest) {
  if (digest.size() != kDigest) return fail(Errc::invalid, "a digest is 32 octets");
  return {};
}

Result<void> check_text(std::string_view what, std::string_view text, std::size_t max) {
  bool good = text.size() <= max && message::is_utf8(text);
  for (const char c : text) good = good && static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
  if (!good) {
    return fail(
        Errc::invalid,
        fmt::format("{} is at most {} octets of text without control characters", what, max));
  }
  return {};
}

std::string shown_text(std::string_view text, std::size_t max) {
  std::string shown(text.substr(0, max));
  for (char& c : shown) {
    if (c < 0x20 || c > 0x7e) c = '?';
  }
  return shown;
}

std::optional<Timestamp> optional_time(const sql::Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return row.time(column);
}

void bind_optional(sql::Statement& statement, std::string_view name,
                   std::optional<Timestamp> time) {
  if (time) {
    statement.bind(name, *time);
  } else {
    statement.bind_null(name);
  }
}

}  // namespace postern::accounts
