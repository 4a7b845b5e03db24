// libfido2's objects as C++ owns them, and the few calls that all of its users need.
#pragma once

#include <fido.h>
#include <fido/eddsa.h>
#include <fido/es256.h>
#include <fido/rs256.h>

#include <memory>
#include <string_view>

#include "accounts/factors/webauthn.hpp"

namespace postern::accounts::webauthn {

template <auto kFree>
struct FidoFree {
  template <class T>
  void operator()(T* object) const noexcept {
    kFree(&object);
  }
};

using FidoCredential = std::unique_ptr<fido_cred_t, FidoFree<fido_cred_free>>;
using FidoAssertion = std::unique_ptr<fido_assert_t, FidoFree<fido_assert_free>>;

/// New objects; the library is started with the first. Memory that isn't there is std::bad_alloc.
FidoCredential make_fido_credential();
FidoAssertion make_fido_assertion();

inline const unsigned char* fido_bytes(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

/// A public key in libfido2's form, checked as far as the library checks one.
class FidoKey {
 public:
  /// nullopt when the bytes aren't a key of that algorithm.
  static std::optional<FidoKey> load(Algorithm algorithm, std::string_view public_key);
  /// One of libfido2's codes for the first (and only) statement of the assertion.
  [[nodiscard]] int verify(const FidoAssertion& assertion) const;

 private:
  using Es256 = std::unique_ptr<es256_pk_t, FidoFree<es256_pk_free>>;
  using Eddsa = std::unique_ptr<eddsa_pk_t, FidoFree<eddsa_pk_free>>;
  using Rs256 = std::unique_ptr<rs256_pk_t, FidoFree<rs256_pk_free>>;

  Es256 es256_;  // exactly one of the three is set
  Eddsa eddsa_;
  Rs256 rs256_;
};

}  // namespace postern::accounts::webauthn
