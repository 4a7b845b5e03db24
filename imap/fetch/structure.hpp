// ENVELOPE, BODY and BODYSTRUCTURE (RFC 3501 §7.4.2) from a stored index.
#pragma once

#include <cstdint>
#include <string>

#include "message/mime.hpp"

namespace postern::imap {

void append_envelope(std::string& out, const message::Envelope& envelope);

/// `leave_out`: BODY; `give`: BODYSTRUCTURE with extension data.
enum class ExtensionData : std::uint8_t { leave_out, give };
/// The part `index` of the tree, with what is inside it. The tree's depth is bounded by the parser.
void append_body(std::string& out, const message::PartTree& tree, std::uint32_t index,
                 ExtensionData extension);

}  // namespace postern::imap
