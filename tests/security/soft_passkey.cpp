#include "tests/security/soft_passkey.hpp"

#include <boost/json/object.hpp>

#include "core/crypto.hpp"
#include "core/encoding.hpp"

namespace postern::test {

namespace json = boost::json;
namespace soft = accounts::webauthn::test;
using web::Method;

namespace {

constexpr const char* kOrigin = "https://mail.house.example";
constexpr const char* kHost = "mail.house.example";

struct Begun {
  std::string flow;
  std::string challenge;  ///< raw
};

Begun begun(const json::value& answer) {
  const auto& options = answer.as_object().at("options");
  return {text_at(answer, "flow"), base64url_decode(text_at(options, "challenge")).value()};
}

}  // namespace

json::object SoftPasskey::registration(House& house, const Credential& session) {
  const auto [flow, challenge] =
      begun(house.done(Method::post, "/v1/me/passkeys/options", session));
  const auto client = soft::ClientData{"webauthn.create", challenge, kOrigin}.json();
  const auto data = soft::Data{kHost, soft::kUp | soft::kUv | soft::kAt, next_use(),
                               soft::attested(id_, key_.cose()), ""}
                        .bytes();
  const auto object = soft::attestation_object("none", soft::cbor_head(5, 0), data);
  return {{"flow", flow},
          {"label", "soft"},
          {"client_data_json", base64url_encode(client)},
          {"attestation_object", base64url_encode(object)}};
}

json::object SoftPasskey::assertion(House& house, const std::string& user_handle) {
  const auto [flow, challenge] =
      begun(house.done(Method::post, "/v1/session/passkey/options", kNobody));
  const auto client = soft::ClientData{"webauthn.get", challenge, kOrigin}.json();
  const auto data = soft::Data{kHost, soft::kUp | soft::kUv, next_use(), "", ""}.bytes();
  const auto signature = key_.sign(data + crypto::sha256(client));
  return {{"flow", flow},
          {"credential_id", base64url_encode(id_)},
          {"client_data_json", base64url_encode(client)},
          {"authenticator_data", base64url_encode(data)},
          {"signature", base64url_encode(signature)},
          {"user_handle", base64url_encode(user_handle)}};
}

}  // namespace postern::test
