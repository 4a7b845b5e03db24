// BODY[...] sections: their names in responses, and the header fields that they select.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "imap/parse/fetch_item.hpp"
#include "message/index.hpp"

namespace postern::imap {

/// `BODY[1.HEADER.FIELDS (FROM TO)]<0>`, or `RFC822.HEADER`: how the response names the item.
void append_item_name(std::string& out, const FetchItem& item);

/// Where the section's bytes are; for HEADER.FIELDS the header they are taken from. nullopt: NIL.
std::optional<message::Range> section_range(const message::Index& index, const Section& section);

/// The fields of `header` that HEADER.FIELDS (or .NOT) selects, byte for byte, and the blank line.
std::string select_fields(std::string_view header, const Section& section);

/// What a partial leaves of `length` bytes.
message::Range clip(std::uint64_t length, const std::optional<Partial>& partial);

}  // namespace postern::imap
