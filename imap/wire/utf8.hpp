// One code point at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::imap {

/// Takes the first code point off `text`; nullopt takes one ill-formed byte. `text` isn't empty.
std::optional<std::uint32_t> take_utf8(std::string_view& text);
void append_utf8(std::string& out, std::uint32_t code_point);
bool is_well_formed_utf8(std::string_view text);

}  // namespace postern::imap
