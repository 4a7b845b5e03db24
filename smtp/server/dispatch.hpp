// From a command line to its handler: one table of verbs, with what each demands.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "smtp/server/conversation.hpp"

namespace postern::smtp {

/// What a verb demands or does; see the table in dispatch.cpp.
enum class Flag : unsigned {
  greeted = 1,      ///< after HELO or EHLO: else 503
  login = 2,        ///< on submission listeners after AUTH: else 530
  submission = 4,   ///< only offered there: else 502
  encrypted = 8,    ///< under TLS, or where plaintext logins are allowed: else 538
  outside = 16,     ///< not within a mail transaction: else 503
  ends_group = 32,  ///< its reply is written at once (RFC 2920 §3.2)
  idle = 64,        ///< counts against Limits::idle_commands
};

struct VerbEntry {
  std::string_view name;
  Action (*run)(Conversation&, const VerbEntry&, std::string_view arguments);
  unsigned flags;

  [[nodiscard]] bool has(Flag flag) const { return (flags & static_cast<unsigned>(flag)) != 0; }
};

std::span<const VerbEntry> verbs();

/// Parses, checks the state, acts.
Action dispatch(Conversation& conversation, std::string_view line);

/// What the state forbids of this verb right now, or nothing.
std::optional<Reply> check_state(const Conversation& conversation, const VerbEntry& verb);

}  // namespace postern::smtp
