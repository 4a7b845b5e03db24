// The one error type of the program and the one alias that carries it.
//
// What a peer, a user or the world did wrong is a value (`Result<T>`); exceptions are for
// start-up, settings and bugs (and, inside SQL closures, for the engine: see storage/).
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace postern {

/// What went wrong, as far as a caller must tell cases apart. Protocols map these to replies.
enum class Errc : std::uint8_t {
  invalid,      ///< the input is malformed; repeating it won't help
  not_found,    ///< the thing named doesn't exist (or isn't the caller's to see)
  exists,       ///< a unique name is taken
  denied,       ///< known, but not allowed
  too_large,    ///< a size or count limit was reached; message says which
  overloaded,   ///< a bounded queue, pool or disk reserve is full: try again later
  temporary,    ///< the world (DNS, a peer, a disk) failed for now
  io,           ///< a socket or file failed
  corrupt,      ///< stored or sealed data failed its check
  timeout,      ///< a deadline passed
  cancelled,    ///< the server is stopping or the session was closed
  unsupported,  ///< understood, but not offered
};

std::string_view to_string(Errc code) noexcept;

struct Error {
  Errc code = Errc::invalid;
  std::string message;  ///< for logs and operators; a protocol decides what a peer may see
};

template <class T = void>
using Result = std::expected<T, Error>;

/// `return fail(Errc::not_found, "no such tenant: {}")` with the text already formatted.
inline std::unexpected<Error> fail(Errc code, std::string message) {
  return std::unexpected<Error>(Error{code, std::move(message)});
}

}  // namespace postern
