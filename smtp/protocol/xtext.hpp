// xtext (RFC 3461 §4): how ENVID, ORCPT and AUTH carry text inside an ESMTP parameter.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postern::smtp {

/// Decoded, or nullopt: a character outside the grammar, a '+' without two upper-case hex digits,
/// or a decoded control character (it would later be written into a header field).
std::optional<std::string> decode_xtext(std::string_view text);
std::string encode_xtext(std::string_view text);

}  // namespace postern::smtp
