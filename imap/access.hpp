// Whether a mailbox is opened by SELECT or by EXAMINE (RFC 3501 §6.3.1, §6.3.2); the word that
// parsers and the backend share.
#pragma once

#include <cstdint>

namespace postern::imap {

enum class Access : std::uint8_t { read_write, read_only };

}  // namespace postern::imap
