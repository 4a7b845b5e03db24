// The dispatch table: every command's name, parser, handler, allowed states and flags, on one
// screen.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "imap/parse/parsers.hpp"
#include "imap/session.hpp"

namespace postern::imap {

/// States in which a command is valid, as bits.
enum : std::uint8_t {
  kInNotAuthenticated = 1,
  kInAuthenticated = 2,
  kInSelected = 4,
  kLoggedIn = kInAuthenticated | kInSelected,
  kAnyState = kInNotAuthenticated | kLoggedIn,
};

enum : std::uint8_t {
  /// No EXPUNGE responses before its reply (RFC 3501 §7.4.1).
  kHoldsExpunges = 1,
  /// Updates sent with its reply carry UIDs.
  kNumbersUids = 2,
  /// Asks the store for news, noticed or not.
  kAsksForNews = 4,
  /// No updates before its reply.
  kQuiet = 8,
};

using Handler = Task<Outcome> (*)(Session&, Command);

struct CommandSpec {
  std::string_view name;  ///< upper case; "UID FETCH" with its space
  Parser parse;
  Handler handle;
  std::uint8_t states;
  std::uint8_t flags;

  [[nodiscard]] bool allowed_in(State state) const;
};

[[nodiscard]] std::span<const CommandSpec> commands();
/// Without regard to case; null when there is no such command.
[[nodiscard]] const CommandSpec* find_command(std::string_view name);

}  // namespace postern::imap
