#include "core/tls/context.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "core/tls/error.hpp"

namespace postern::tls {

namespace {
struct FreeContext {
  void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
};
using ContextPtr = std::unique_ptr<SSL_CTX, FreeContext>;

// Forward secrecy and AEAD for who connects to us; any mail server of the last decade has one of
// these.
constexpr const char* kServerCiphers =
    "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES128+SHA256:ECDHE+AES256+SHA384:!aNULL:!eNULL";
// Where the alternative is plain text, an old cipher of a peer is still better: no more than the
// known-broken ones are left out, and short RSA keys of the peer are borne.
constexpr const char* kOpportunisticCiphers = "HIGH:!aNULL:!eNULL:!3DES:!MD5:!PSK:!SRP@SECLEVEL=1";
constexpr const char* kGroups = "X25519:P-256:P-384";
constexpr std::size_t kTickets = 1;  // a second one would cost each TLS 1.3 handshake for nothing

// A key that needs a passphrase is an error, not a prompt on the operator's terminal.
int no_passphrase(char*, int, int, void*) { return 0; }

ContextPtr make_common(const SSL_METHOD* method) {
  ERR_clear_error();
  ContextPtr context(SSL_CTX_new(method));
  if (!context) return nullptr;
  SSL_CTX* c = context.get();
  SSL_CTX_set_options(c, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                             SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                             SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                          SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // One read call takes header and body of a record together.
  SSL_CTX_set_read_ahead(c, 1);
  SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_default_passwd_cb(c, no_passphrase);
  if (SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION) != 1) return nullptr;
  if (SSL_CTX_set1_groups_list(c, kGroups) != 1) return nullptr;
  return context;
}

std::shared_ptr<const Context> share(ContextPtr context) {
  return std::make_shared<const Context>(context.release());
}
}  // namespace

Context::~Context() { SSL_CTX_free(context_); }

Result<std::shared_ptr<const Context>> Context::make_server(const std::string& certificate_file,
                                                            const std::string& key_file) {
  auto context = make_common(TLS_server_method());
  if (!context || SSL_CTX_set_cipher_list(context.get(), kServerCiphers) != 1) {
    return fail(Errc::unsupported, "TLS: " + take_error_text());
  }
  SSL_CTX_set_num_tickets(context.get(), kTickets);
  if (SSL_CTX_use_certificate_chain_file(context.get(), certificate_file.c_str()) != 1) {
    return fail(Errc::invalid, "certificate " + certificate_file + ": " + take_error_text());
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    return fail(Errc::invalid, "key " + key_file + ": " + take_error_text());
  }
  if (SSL_CTX_check_private_key(context.get()) != 1) {
    return fail(Errc::invalid,
                "key " + key_file + " doesn't belong to certificate " + certificate_file);
  }
  return share(std::move(context));
}

Result<std::shared_ptr<const Context>> Context::make_client(Verify verify) {
  auto context = make_common(TLS_client_method());
  if (!context) return fail(Errc::unsupported, "TLS: " + take_error_text());
  if (verify == Verify::none) {
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
    if (SSL_CTX_set_cipher_list(context.get(), kOpportunisticCiphers) != 1) {
      return fail(Errc::unsupported, "TLS: " + take_error_text());
    }
    return share(std::move(context));
  }
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  if (SSL_CTX_set_default_verify_paths(context.get()) != 1) {
    return fail(Errc::io, "the system's root certificates: " + take_error_text());
  }
  ERR_clear_error();
  return share(std::move(context));
}

}  // namespace postern::tls
