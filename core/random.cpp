#include "core/random.hpp"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <pthread.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace postern {

namespace {

void draw(void* out, std::size_t size) {
  if (RAND_bytes(static_cast<unsigned char*>(out), static_cast<int>(size)) != 1) {
    std::fputs("postern: the system gives no random bytes\n", stderr);
    std::abort();
  }
}

/// Counts forks: a child must not give what its parent gives.
std::atomic<unsigned>& forks() {
  static std::atomic<unsigned> count{0};
  [[maybe_unused]] static const int registered =
      pthread_atfork(nullptr, nullptr, [] { count.fetch_add(1, std::memory_order_relaxed); });
  return count;
}

/// Bytes drawn ahead: a call of the generator costs some microseconds, whatever it gives. What was
/// given away is wiped here.
class Pool {
 public:
  static constexpr std::size_t kSize = 1024;
  static constexpr std::size_t kLargest = 64;  ///< more is drawn directly

  ~Pool() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

  void take(void* out, std::size_t size) {
    const unsigned now = forks().load(std::memory_order_relaxed);
    if (size > left_ || now != forks_) {
      draw(bytes_.data(), bytes_.size());
      left_ = bytes_.size();
      forks_ = now;
    }
    left_ -= size;
    std::memcpy(out, bytes_.data() + left_, size);
    OPENSSL_cleanse(bytes_.data() + left_, size);
  }

 private:
  std::array<unsigned char, kSize> bytes_{};
  std::size_t left_ = 0;
  unsigned forks_ = 0;
};

}  // namespace

void fill_random(void* out, std::size_t size) {
  thread_local Pool pool;
  if (size > Pool::kLargest) {
    draw(out, size);
  } else {
    pool.take(out, size);
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
