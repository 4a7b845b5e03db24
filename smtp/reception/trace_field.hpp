// The trace field that every accepted message begins with, and the count of those it has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/time.hpp"
#include "smtp/backend.hpp"

namespace postern::smtp::reception {

/// Whether the trace field names the client's address. A submitter's address is its own business.
enum class ClientAddress : std::uint8_t { shown, hidden };

struct Trace {
  std::string_view hostname;  ///< ours: the BY clause
  std::string_view id;        ///< the message's: an atom
  Timestamp time{};
  ClientAddress client = ClientAddress::shown;
};

/// "Received: ...", folded, CRLF at its end (RFC 5321 §4.4). FOR stands there only when there is
/// a single recipient: more would tell each of the others (RFC 5321 §7.6).
std::string make_received(const SessionInfo& session, const Envelope& envelope, const Trace& trace);

/// Of a message that this server made: without FROM and WITH, since no client handed it over (RFC
/// 5322 §3.6.7 leaves the tokens free).
std::string make_received(const Envelope& envelope, const Trace& trace);

/// ESMTPSA and so on: RFC 3848; UTF8SMTPSA: RFC 6531 §4.3.
std::string with_protocol(const SessionInfo& session, const Envelope& envelope);

/// Received fields in a header section (lines ended by CRLF; stops at the empty line). Too many are
/// a loop: RFC 5321 §6.3 wants a large threshold.
std::size_t count_received(std::string_view header);

}  // namespace postern::smtp::reception
