// What a browser sends to register a passkey or to sign in with one: never a crash, and never a
// sign-in that nobody signed.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "accounts/factors/attestation.hpp"
#include "accounts/factors/cbor_reader.hpp"
#include "accounts/factors/webauthn.hpp"

using namespace postern::accounts::webauthn;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

// 32 zero octets.
constexpr std::string_view kChallenge = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

std::string client_data(std::string_view type) {
  return R"({"type":")" + std::string(type) + R"(","challenge":")" + std::string(kChallenge) +
         R"(","origin":"https://example.org"})";
}

/// The part up to the next 0xff, taken off the front.
std::string_view take_part(std::string_view& input) {
  const auto end = input.find('\xff');
  const auto part = input.substr(0, end);
  input.remove_prefix(end == std::string_view::npos ? input.size() : end + 1);
  return part;
}

void register_with(const Ceremony& ceremony, std::string_view json, std::string_view object) {
  const auto credential = verify_registration(ceremony, {json, object});
  if (!credential) return;
  require(credential->id.size() >= kMinCredentialId && credential->id.size() <= kMaxCredentialId);
  require(credential->aaguid.size() == 16);
  require(credential->user_verified || ceremony.user_verification == UserVerification::preferred);
}

void sign_in_with(const Ceremony& ceremony, std::string_view json, std::string_view data,
                  std::string_view signature) {
  // The generator of P-256: its private key is 1, but nobody's fuzzer finds a signature.
  static const StoredCredential stored{
      "0123456789abcdef",
      Algorithm::es256,
      "\x6b\x17\xd1\xf2\xe1\x2c\x42\x47\xf8\xbc\xe6\xe5\x63\xa4\x40\xf2"
      "\x77\x03\x7d\x81\x2d\xeb\x33\xa0\xf4\xa1\x39\x45\xd8\x98\xc2\x96"
      "\x4f\xe3\x42\xe2\xfe\x1a\x7f\x9b\x8e\xe7\xeb\x4a\x7c\x0f\x9e\x16"
      "\x2b\xce\x33\x57\x6b\x31\x5e\xce\xcb\xb6\x40\x68\x37\xbf\x51\xf5",
      0,
      false,
      "handle"};
  const auto outcome = verify_assertion(
      ceremony, stored, {stored.id, json, data, signature, std::nullopt}, Identified::before);
  require(!outcome);
  // The key itself must be good, or nothing was tried.
  require(outcome.error().code != postern::Errc::corrupt);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Ceremony strict{std::string(32, '\0'), "example.org", "", {"https://example.org"}};
  static const Ceremony loose{std::string(32, '\0'),
                              "example.org",
                              "",
                              {"https://example.org"},
                              UserVerification::preferred};
  const std::string_view input(reinterpret_cast<const char*>(data), size);

  CborReader reader(input);
  const auto item = reader.skip();
  require(!item || item->size() + reader.rest().size() == input.size());

  static const auto create = client_data("webauthn.create");
  static const auto get = client_data("webauthn.get");
  register_with(strict, create, input);
  register_with(loose, create, input);
  register_with(loose, input, "");

  auto rest = input;
  const auto first = take_part(rest);
  sign_in_with(loose, get, first, rest);
  sign_in_with(strict, first, rest, "signature");
  return 0;
}
