// Writing responses: strings as IMAP spells them, appended to a buffer.
//
// The values come from mail and are untrusted: whatever can't stand in quotes becomes a literal,
// NUL is dropped (RFC 3501 §9 CHAR8), so that no value can end its line or forge a response.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/time.hpp"
#include "imap/flags.hpp"

namespace postern::imap {

/// `"quoted"`, or a literal when the text holds CR, LF, NUL, 8-bit bytes, or is long.
void append_string(std::string& out, std::string_view text);
/// The same, NIL for none.
void append_nstring(std::string& out, const std::optional<std::string>& text);
/// A string of upper-case text (media types, encodings).
void append_upper_string(std::string& out, std::string_view text);
/// A mailbox name, given in UTF-8, in modified UTF-7; an atom where it can be.
void append_mailbox(std::string& out, std::string_view utf8);
/// `{size}` CRLF, before raw bytes.
void append_literal_head(std::string& out, std::uint64_t size);
/// `(\Seen $Forwarded)`; `recent` adds \Recent.
enum class Recent : std::uint8_t { no, yes };
void append_flags(std::string& out, const Flags& flags, Recent recent);
/// `"17-Jul-1996 02:44:25 +0000"`, always UTC.
void append_date_time(std::string& out, Timestamp time);
/// `1:3,5,9:10` from ascending numbers.
void append_number_set(std::string& out, std::span<const std::uint32_t> numbers);

/// Text for a human after OK, NO, BAD: CR, LF and what isn't printable ASCII become '?'.
std::string response_text(std::string_view text);

}  // namespace postern::imap
