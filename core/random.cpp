#include "core/random.hpp"

#include <openssl/rand.h>

#include <cstdio>
#include <cstdlib>

namespace postern {

void fill_random(void* out, std::size_t size) {
  if (RAND_bytes(static_cast<unsigned char*>(out), static_cast<int>(size)) != 1) {
    std::fputs("postern: the system gives no random bytes\n", stderr);
    std::abort();
  }
}

std::string random_bytes(std::size_t size) {
  std::string out(size, '\0');
  fill_random(out.data(), out.size());
  return out;
}

std::uint64_t random_below(std::uint64_t bound) {
  // Rejection keeps it uniform: values above the last whole multiple of bound are drawn again.
  const std::uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
  std::uint64_t value = 0;
  do {
    fill_random(&value, sizeof value);
  } while (value >= limit);
  return value % bound;
}

}  // namespace postern
