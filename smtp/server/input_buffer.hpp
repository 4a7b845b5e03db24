// The one buffer that a session reads into. Decoders consume it from the front, in place.
//
// Memory is taken at the first read and given back when an idle session has nothing in it. Owner:
// the session's Conversation. Views into it hold until the next room() or release().
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace postern::smtp {

class InputBuffer {
 public:
  /// Above the longest command line, so that a full buffer without CRLF is an error, never a wait.
  static constexpr std::size_t kCapacity = 32768;

  /// Where to read; never empty unless the decoder above failed to consume a full buffer.
  std::span<char> room();
  void commit(std::size_t n) { end_ += n; }

  [[nodiscard]] std::span<char> pending() { return {data_.get() + begin_, end_ - begin_}; }
  [[nodiscard]] bool empty() const { return begin_ == end_; }
  void consume(std::size_t n) { begin_ += n; }

  void wipe();     ///< drops what is pending and zeroes it all: it held a password, or plaintext
  void release();  ///< gives the memory back if nothing is pending

 private:
  std::unique_ptr<char[]> data_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace postern::smtp
