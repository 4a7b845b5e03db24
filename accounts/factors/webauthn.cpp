// The options for the browser.
#include "accounts/factors/webauthn.hpp"

#include <boost/json/array.hpp>
#include <stdexcept>

#include "core/encoding.hpp"
#include "core/random.hpp"

namespace postern::accounts::webauthn {

namespace {

namespace json = boost::json;

// In the order that we like them best.
constexpr std::array kAlgorithms{Algorithm::es256, Algorithm::eddsa, Algorithm::rs256};

std::string_view text(UserVerification verification) {
  return verification == UserVerification::required ? "required" : "preferred";
}

json::array descriptors(std::span<const KnownCredential> credentials) {
  json::array out;
  out.reserve(credentials.size());
  for (const auto& credential : credentials) {
    json::object descriptor{{"type", "public-key"}, {"id", base64url_encode(credential.id)}};
    if (!credential.transports.empty()) {
      descriptor["transports"] =
          json::array(credential.transports.begin(), credential.transports.end());
    }
    out.push_back(std::move(descriptor));
  }
  return out;
}

json::array key_parameters() {
  json::array out;
  out.reserve(kAlgorithms.size());
  for (const auto algorithm : kAlgorithms) {
    out.push_back(
        json::object{{"type", "public-key"}, {"alg", static_cast<std::int64_t>(algorithm)}});
  }
  return out;
}

}  // namespace

std::optional<Algorithm> algorithm_from_number(std::int64_t number) {
  for (const auto algorithm : kAlgorithms) {
    if (static_cast<std::int64_t>(algorithm) == number) return algorithm;
  }
  return std::nullopt;
}

std::string make_challenge() { return random_bytes(kChallengeSize); }

json::object creation_options(const Ceremony& ceremony, const NewCredentialUser& user,
                              ResidentKey resident_key, std::span<const KnownCredential> exclude) {
  if (user.handle.empty() || user.handle.size() > kMaxUserHandle) {
    throw std::invalid_argument("a user handle has 1 to 64 bytes");
  }
  const bool required = resident_key == ResidentKey::required;
  return {
      {"rp", json::object{{"id", ceremony.rp_id}, {"name", ceremony.rp_name}}},
      {"user", json::object{{"id", base64url_encode(user.handle)},
                            {"name", user.name},
                            {"displayName", user.display_name}}},
      {"challenge", base64url_encode(ceremony.challenge)},
      {"pubKeyCredParams", key_parameters()},
      {"timeout", kCeremonyTime.count()},
      {"excludeCredentials", descriptors(exclude)},
      {"authenticatorSelection",
       json::object{{"residentKey", required ? "required" : "preferred"},
                    {"requireResidentKey", required},  // Level 1 browsers know only this one
                    {"userVerification", text(ceremony.user_verification)}}},
      {"attestation", "none"},
  };
}

json::object request_options(const Ceremony& ceremony, std::span<const KnownCredential> allow) {
  return {
      {"challenge", base64url_encode(ceremony.challenge)},
      {"timeout", kCeremonyTime.count()},
      {"rpId", ceremony.rp_id},
      {"allowCredentials", descriptors(allow)},
      {"userVerification", text(ceremony.user_verification)},
  };
}

}  // namespace postern::accounts::webauthn
