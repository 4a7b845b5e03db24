// Text as SEARCH compares it: decoded to UTF-8, case folded (Unicode simple folding), substrings.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "message/mime.hpp"

namespace postern::imap {

/// Ill-formed bytes become U+FFFD.
std::string fold_text(std::string_view utf8);

/// A raw header value, unfolded, encoded words decoded, case folded.
std::string fold_header_value(std::string_view raw);

/// The body of a text part, decoded from its transfer encoding and charset, case folded.
std::string fold_part(const message::Part& part, std::string_view raw_body);

/// Addresses as `name <local@domain>`, joined by ", ", case folded.
std::string fold_addresses(const std::vector<message::Address>& list);

}  // namespace postern::imap
