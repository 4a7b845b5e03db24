#include "core/tls/session.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cerrno>
#include <cstring>

#include "core/ip_address.hpp"
#include "core/tls/bio.hpp"
#include "core/tls/error.hpp"

namespace postern::tls {

Result<std::unique_ptr<Session>> Session::make(std::shared_ptr<const Context> context,
                                               int descriptor, Role role,
                                               const std::string& server_name) {
  ERR_clear_error();
  SSL* ssl = SSL_new(context->native());
  BIO* bio = make_socket_bio(descriptor);
  if (ssl == nullptr || bio == nullptr) {
    SSL_free(ssl);
    BIO_free(bio);
    return fail(Errc::overloaded, "TLS: " + take_error_text());
  }
  SSL_set_bio(ssl, bio, bio);
  std::unique_ptr<Session> session(new Session(std::move(context), ssl));
  if (role == Role::server) {
    SSL_set_accept_state(ssl);
    return session;
  }
  SSL_set_connect_state(ssl);
  if (auto named = session->name_peer(server_name); !named) return std::unexpected(named.error());
  return session;
}

Session::~Session() = default;

void Session::Free::operator()(ssl_st* ssl) const noexcept { SSL_free(ssl); }

Result<void> Session::name_peer(const std::string& server_name) {
  const bool verifies = (SSL_get_verify_mode(ssl_.get()) & SSL_VERIFY_PEER) != 0;
  if (server_name.empty()) {
    if (verifies) return fail(Errc::invalid, "TLS: a peer can't be verified without a name");
    return {};
  }
  bool ok = true;
  if (!parse_ip(server_name)) {
    ok = SSL_set_tlsext_host_name(ssl_.get(), server_name.c_str()) == 1;
    if (verifies) {
      SSL_set_hostflags(ssl_.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
      ok = ok && SSL_set1_host(ssl_.get(), server_name.c_str()) == 1;
    }
  } else if (verifies) {
    ok = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), server_name.c_str()) == 1;
  }
  if (!ok) return fail(Errc::invalid, "TLS: not a server name: " + take_error_text());
  return {};
}

Step Session::fail_with(Errc code, std::string message) {
  failed_ = true;
  error_ = Error{code, std::move(message)};
  ERR_clear_error();
  return Step::failed;
}

Step Session::outcome(int returned) {
  const int system_error = errno;
  switch (SSL_get_error(ssl_.get(), returned)) {
    case SSL_ERROR_NONE: return Step::done;
    case SSL_ERROR_WANT_READ: return Step::want_read;
    case SSL_ERROR_WANT_WRITE: return Step::want_write;
    case SSL_ERROR_ZERO_RETURN: return Step::closed;
    case SSL_ERROR_SYSCALL:
      if (ERR_peek_error() == 0 && socket_bio_at_end(SSL_get_rbio(ssl_.get()))) {
        failed_ = true;
        return Step::closed;
      }
      if (ERR_peek_error() == 0) return fail_with(Errc::io, std::strerror(system_error));
      [[fallthrough]];
    default: break;
  }
  const long verdict = SSL_get_verify_result(ssl_.get());
  if (verdict != X509_V_OK && !SSL_is_init_finished(ssl_.get()) &&
      (SSL_get_verify_mode(ssl_.get()) & SSL_VERIFY_PEER) != 0) {
    return fail_with(Errc::denied, std::string("TLS: ") + X509_verify_cert_error_string(verdict));
  }
  return fail_with(Errc::io, "TLS: " + take_error_text());
}

Step Session::handshake() {
  ERR_clear_error();
  errno = 0;
  const Step step = outcome(SSL_do_handshake(ssl_.get()));
  if (step != Step::closed) return step;
  return fail_with(Errc::io, "TLS: the peer closed during the handshake");
}

Step Session::read(std::span<char> out, std::size_t& count) {
  count = 0;
  ERR_clear_error();
  errno = 0;
  return outcome(SSL_read_ex(ssl_.get(), out.data(), out.size(), &count));
}

Step Session::peek() {
  char byte = 0;
  std::size_t count = 0;
  ERR_clear_error();
  errno = 0;
  return outcome(SSL_peek_ex(ssl_.get(), &byte, 1, &count));
}

Step Session::write(std::string_view bytes, std::size_t& count) {
  count = 0;
  ERR_clear_error();
  errno = 0;
  return outcome(SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &count));
}

Step Session::send_close() {
  if (failed_ || !SSL_is_init_finished(ssl_.get())) {
    return fail_with(Errc::io, "TLS: the connection is lost");
  }
  ERR_clear_error();
  errno = 0;
  const int returned = SSL_shutdown(ssl_.get());
  return returned < 0 ? outcome(returned) : Step::done;  // 0: sent, the peer's is still to come
}

// SSL_OP_IGNORE_UNEXPECTED_EOF makes OpenSSL take TCP's end for a close_notify, and mark it so; but
// a close_notify is read before TCP's end is.
bool Session::has_close_notify() const {
  return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0 &&
         !socket_bio_at_end(SSL_get_rbio(ssl_.get()));
}

// Reading ahead takes what lies behind a close_notify off the socket.
bool Session::has_rest() const { return SSL_has_pending(ssl_.get()) == 1; }

void Session::shutdown() {
  if (failed_ || !SSL_is_init_finished(ssl_.get())) return;
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

std::string Session::version() const { return SSL_get_version(ssl_.get()); }

std::string Session::cipher() const { return SSL_get_cipher_name(ssl_.get()); }

int Session::cipher_bits() const { return SSL_get_cipher_bits(ssl_.get(), nullptr); }

}  // namespace postern::tls
