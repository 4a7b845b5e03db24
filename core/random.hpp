// Random bytes fit for keys (OpenSSL's generator). Failure to get them ends the process: nothing
// safe can go on without.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace postern {

void fill_random(void* out, std::size_t size);
std::string random_bytes(std::size_t size);
/// Uniform in [0, bound); bound > 0. For jitter, never for secrets.
std::uint64_t random_below(std::uint64_t bound);

}  // namespace postern
