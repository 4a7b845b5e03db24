#include "core/tls/bio.hpp"

#include <openssl/bio.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>

namespace postern::tls {

namespace {
int descriptor_of(BIO* bio) {
  return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
}

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

int socket_write(BIO* bio, const char* data, int size) {
  BIO_clear_retry_flags(bio);
  const auto sent = ::send(descriptor_of(bio), data, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  if (sent < 0 && would_block()) BIO_set_retry_write(bio);
  return static_cast<int>(sent);
}

int socket_read(BIO* bio, char* out, int size) {
  BIO_clear_retry_flags(bio);
  const auto received = ::recv(descriptor_of(bio), out, static_cast<std::size_t>(size), 0);
  if (received < 0 && would_block()) BIO_set_retry_read(bio);
  if (received == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return static_cast<int>(received);
}

long socket_control(BIO* bio, int command, long, void*) {
  switch (command) {
    case BIO_CTRL_EOF: return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
    case BIO_CTRL_FLUSH:
    case BIO_CTRL_DUP: return 1;
    default: return 0;
  }
}

BIO_METHOD* make_method() {
  BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "postern socket");
  if (method == nullptr) return nullptr;
  BIO_meth_set_write(method, socket_write);
  BIO_meth_set_read(method, socket_read);
  BIO_meth_set_ctrl(method, socket_control);
  return method;
}
}  // namespace

BIO* make_socket_bio(int descriptor) {
  static BIO_METHOD* const method = make_method();  // lives as long as the process
  BIO* bio = method != nullptr ? BIO_new(method) : nullptr;
  if (bio == nullptr) return nullptr;
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(descriptor)));
  BIO_set_init(bio, 1);
  return bio;
}

bool socket_bio_at_end(BIO* bio) { return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0; }

}  // namespace postern::tls
