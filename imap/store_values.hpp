// The message store's plain values as the IMAP backend's.
#pragma once

#include <cstdint>
#include <vector>

#include "imap/backend.hpp"
#include "mailbox/messages.hpp"
#include "mailbox/types.hpp"

namespace postern::imap {

Flags to_imap(const mailbox::Flags& flags);
mailbox::Flags to_store(const Flags& flags);
Message to_imap(const mailbox::MessageState& state);
SpecialUse to_imap(mailbox::SpecialUse use);
mailbox::StoreMode to_store(FlagChange how);
/// Neighbours joined; `uids` ascend.
std::vector<mailbox::UidRange> to_ranges(const std::vector<std::uint32_t>& uids);

}  // namespace postern::imap
