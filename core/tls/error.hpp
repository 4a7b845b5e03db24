// OpenSSL's error queue of this thread, as text.
#pragma once

#include <string>

namespace postern::tls {

/// The first error's reason ("wrong version number"), or "unknown error"; empties the queue.
std::string take_error_text();

}  // namespace postern::tls
