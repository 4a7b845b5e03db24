// The replies that acceptance gives, in one place: code, enhanced status (RFC 3463), text.
#pragma once

#include <string>
#include <string_view>

#include "accounts/directory.hpp"
#include "core/result.hpp"
#include "smtp/protocol/reply.hpp"

namespace postern::smtp::reception {

/// A failure of ours as a temporary answer: 452 4.3.1 when a bound or the disk reserve is reached,
/// else 451 4.3.0. The cause goes to the log.
Reply temporary(const Error& error);
/// Why a recipient isn't accepted; `verdict` is anything but deliver.
Reply recipient_refusal(accounts::Verdict verdict);
Reply wrong_sender(std::string_view address);
Reply queued(std::string_view id);

}  // namespace postern::smtp::reception
