// Times as the API writes them: RFC 3339, UTC, microseconds.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/time.hpp"

namespace postern::web {

/// "2026-01-31T12:00:00.000000Z"
std::string timestamp_text(Timestamp time);

/// RFC 3339 §5.6 in UTC ("Z"), with up to six digits of a second's fraction. nullopt: anything
/// else, a date that doesn't exist too.
std::optional<Timestamp> parse_timestamp(std::string_view text);

}  // namespace postern::web
