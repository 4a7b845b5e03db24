// A part's header turned into the fields of Part. Internal to message/.
#pragma once

#include <string_view>

#include "message/mime.hpp"

namespace postern::message {

enum class DefaultType : std::uint8_t {
  text,
  digest
};  ///< RFC 2046 §5.1.5: digest parts are messages

/// Content-* fields with their defaults; kind and offsets stay as they are.
void read_part_fields(std::string_view header, DefaultType fallback, Part& part);

/// RFC 2045 §5.2: what a part is when it doesn't say, or says nothing that is understood.
ContentType default_content_type();

}  // namespace postern::message
