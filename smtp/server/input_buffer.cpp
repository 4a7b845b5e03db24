#include "smtp/server/input_buffer.hpp"

#include <openssl/crypto.h>

#include <cstring>

namespace postern::smtp {

std::span<char> InputBuffer::room() {
  if (!data_) data_ = std::make_unique_for_overwrite<char[]>(kCapacity);
  if (begin_ == end_) {
    begin_ = end_ = 0;
  } else if (begin_ > 0 && end_ == kCapacity) {
    std::memmove(data_.get(), data_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  return {data_.get() + end_, kCapacity - end_};
}

void InputBuffer::wipe() {
  if (data_) OPENSSL_cleanse(data_.get(), kCapacity);
  begin_ = end_ = 0;
}

void InputBuffer::release() {
  if (!empty()) return;
  data_.reset();
  begin_ = end_ = 0;
}

}  // namespace postern::smtp
