// Mailbox names: modified UTF-7 on the wire (RFC 3501 §5.1.3), UTF-8 in storage, '/' between
// levels.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "mailbox/types.hpp"

namespace postern::imap {

// The store's own: one limit each.
using mailbox::kMaxMailboxDepth;
using mailbox::kMaxMailboxName;
using mailbox::kSeparator;

/// UTF-8 to modified UTF-7. Ill-formed bytes become U+FFFD.
std::string encode_mailbox_name(std::string_view utf8);

/// Modified UTF-7 to UTF-8. Strict: no unneeded shifts, no superfluous padding bits, well-formed
/// UTF-16, printable ASCII outside shifts (raw UTF-8 is also taken, since clients send it). nullopt
/// otherwise.
std::optional<std::string> decode_mailbox_name(std::string_view wire);

/// "INBOX" in its one spelling when that is what the name, or its first level, is.
std::string canonical_mailbox_name(std::string_view utf8);

/// A name that can be created or renamed to: no empty levels, no control characters, no wildcards,
/// within the store's limits.
bool is_creatable_name(std::string_view utf8);

/// RFC 3501 §6.3.8: '*' matches anything, '%' anything but the separator. Bounded work whatever the
/// pattern. INBOX (as the whole first level) matches without case.
bool matches_pattern(std::string_view pattern, std::string_view name);

}  // namespace postern::imap
