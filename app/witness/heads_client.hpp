// Asks a server for the ends of its audit chains, over its witness socket.
//
// The server may be somebody's who would like the witness to stumble: the answer's size, its time
// and its form are bounded, and nothing of it is passed on but what parse_heads() took.
#pragma once

#include <chrono>
#include <string>

#include "accounts/audit/witness.hpp"
#include "core/result.hpp"
#include "core/task.hpp"

namespace postern::witness {

inline constexpr std::chrono::milliseconds kPatience{std::chrono::seconds(30)};

/// Connecting, asking and the whole answer take `patience` at most. Errc::io (nobody there, too
/// slow, not HTTP), Errc::temporary (another status than 200), Errc::corrupt (the server found a
/// head that isn't genuine, or the answer isn't one).
Task<Result<accounts::audit::Heads>> ask_heads(std::string socket_path,
                                               std::chrono::milliseconds patience = kPatience);

}  // namespace postern::witness
