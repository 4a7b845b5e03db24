// TLS settings shared by many connections: certificate and key, versions, ciphers.
//
// TLS 1.2 and newer only. A context is immutable; a reload makes a new one, and connections made
// before keep the old one alive.
#pragma once

#include <memory>
#include <string>

#include "core/result.hpp"

struct ssl_ctx_st;

namespace postern::tls {

class Context {
 public:
  /// PEM files; the certificate file may hold the chain. Errors name the file.
  static Result<std::shared_ptr<const Context>> make_server(const std::string& certificate_file,
                                                            const std::string& key_file);
  enum class Verify { none, system_roots };
  /// For outbound connections. `none` is opportunistic TLS: encrypted, peer unverified.
  static Result<std::shared_ptr<const Context>> make_client(Verify verify);

  explicit Context(ssl_ctx_st* context) : context_(context) {}
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  [[nodiscard]] ssl_ctx_st* native() const { return context_; }

 private:
  ssl_ctx_st* context_;
};

/// A self-signed EC P-256 certificate for `hostname`, valid ten years: what `init` writes.
struct SelfSigned {
  std::string certificate_pem;
  std::string key_pem;
};
Result<SelfSigned> make_self_signed(const std::string& hostname);

}  // namespace postern::tls
