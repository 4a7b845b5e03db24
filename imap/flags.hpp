// Message flags (RFC 3501 §2.3.2): five system flags as bits, keywords as names.
//
// Keywords compare without case; the first spelling is kept. \Recent belongs to a session, never to
// a message, so it isn't here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::imap {

enum SystemFlag : std::uint8_t {
  kSeen = 1,
  kAnswered = 2,
  kFlagged = 4,
  kDeleted = 8,
  kDraft = 16,
};

inline constexpr std::uint8_t kAllSystemFlags = 31;

struct Flags {
  std::uint8_t system = 0;
  std::vector<std::string> keywords;  ///< sorted without case, no repeats: see add_keyword()

  bool operator==(const Flags&) const = default;
  [[nodiscard]] bool has(SystemFlag flag) const { return (system & flag) != 0; }
};

[[nodiscard]] bool has_keyword(const Flags& flags, std::string_view keyword);
void add_keyword(Flags& flags, std::string_view keyword);
void remove_keyword(Flags& flags, std::string_view keyword);

enum class FlagChange : std::uint8_t { replace, add, remove };

/// `flags` after STORE's FLAGS, +FLAGS or -FLAGS with `change`.
[[nodiscard]] Flags apply_flags(Flags flags, FlagChange how, const Flags& change);

}  // namespace postern::imap
