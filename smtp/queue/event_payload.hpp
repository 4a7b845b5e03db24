// Delivery events as bytes, for the outbox: a version (1), a count, the events. Of each event: its
// id, tenant and message as texts of 16 bytes; kind, bounce, lane, time, recipient; address,
// destination, stream, return path; the reply's code, the three parts of its enhanced code, its
// text; remote MTA, attempts, next attempt plus 1 (0: none), age. Numbers and texts as in
// message/codec.hpp, times and ages in microseconds.
//
// The parser takes what the writer makes and nothing else: numbers in range, text that is UTF-8 and
// not longer than the limits, no byte left over.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "smtp/queue/event.hpp"

namespace postern::smtp::queue {

/// The largest number of events in one payload.
inline constexpr std::size_t kMaxPayloadEvents = 50;
/// Bytes kept of each text; an address or host name in mail is far shorter.
inline constexpr std::size_t kMaxEventText = 1'024;

/// 1 to kMaxPayloadEvents events. Text is cut at its limit and made well-formed UTF-8 (replies are
/// strangers' text); times before 1970 become 1970, those after the year 9999 its end.
std::string encode_events(std::span<const DeliveryEvent> events);
/// Errc::corrupt.
Result<std::vector<DeliveryEvent>> parse_events(std::string_view payload);

}  // namespace postern::smtp::queue
