#include "accounts/factors/fido_handles.hpp"

#include <new>

namespace postern::accounts::webauthn {

namespace {

constexpr std::size_t kEs256Size = 64;  // x and y
constexpr std::size_t kEddsaSize = 32;
constexpr std::size_t kRs256Size = 259;  // modulus of 256 bytes, exponent of 3

void start_library() {
  static const bool started = [] {
    fido_init(0);
    return true;
  }();
  static_cast<void>(started);
}

template <class Handle>
Handle owned(typename Handle::pointer object) {
  if (object == nullptr) throw std::bad_alloc();
  return Handle(object);
}

}  // namespace

FidoCredential make_fido_credential() {
  start_library();
  return owned<FidoCredential>(fido_cred_new());
}

FidoAssertion make_fido_assertion() {
  start_library();
  return owned<FidoAssertion>(fido_assert_new());
}

std::optional<FidoKey> FidoKey::load(Algorithm algorithm, std::string_view public_key) {
  start_library();
  const auto size = public_key.size();
  FidoKey out;
  int outcome = FIDO_ERR_INVALID_ARGUMENT;
  if (algorithm == Algorithm::es256 && size == kEs256Size) {
    out.es256_ = owned<Es256>(es256_pk_new());
    outcome = es256_pk_from_ptr(out.es256_.get(), public_key.data(), size);
  } else if (algorithm == Algorithm::eddsa && size == kEddsaSize) {
    out.eddsa_ = owned<Eddsa>(eddsa_pk_new());
    outcome = eddsa_pk_from_ptr(out.eddsa_.get(), public_key.data(), size);
  } else if (algorithm == Algorithm::rs256 && size == kRs256Size) {
    out.rs256_ = owned<Rs256>(rs256_pk_new());
    outcome = rs256_pk_from_ptr(out.rs256_.get(), public_key.data(), size);
  }
  if (outcome != FIDO_OK) return std::nullopt;
  return out;
}

int FidoKey::verify(const FidoAssertion& assertion) const {
  if (es256_) return fido_assert_verify(assertion.get(), 0, COSE_ES256, es256_.get());
  if (eddsa_) return fido_assert_verify(assertion.get(), 0, COSE_EDDSA, eddsa_.get());
  return fido_assert_verify(assertion.get(), 0, COSE_RS256, rs256_.get());
}

}  // namespace postern::accounts::webauthn
