// Sign-in with a passkey, one wrong thing at a time. Expected outcomes are those of Web
// Authentication Level 3 §7.2; the answers come from a software authenticator that shares no code
// with the server, and whatever is wrong in them is signed properly.
#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>
#include <functional>
#include <string>
#include <vector>

#include "accounts/factors/webauthn.hpp"
#include "core/crypto.hpp"
#include "core/encoding.hpp"
#include "tests/accounts/factors/soft_authenticator.hpp"

using namespace postern;
using namespace postern::accounts::webauthn;
using namespace postern::accounts::webauthn::test;

namespace {

const std::string kId = "a credential id of 32 bytes, yes";

StoredCredential enrol(const SoftKey& key) {
  const Ceremony ceremony{std::string(32, 'c'), "example.org", "", {"https://example.org"}};
  const ClientData client{"webauthn.create", std::string(32, 'c'), "https://example.org", ""};
  const Data data{"example.org", kUp | kUv | kAt, 0, attested(kId, key.cose()), ""};
  const auto client_data = client.json();
  const auto object = attestation_object("none", cbor_head(5, 0), data.bytes());
  const auto credential = verify_registration(ceremony, {client_data, object});
  if (!credential) throw std::runtime_error(credential.error().message);
  return {credential->id, credential->algorithm, credential->public_key, 7, false, "handle"};
}

/// A sign-in that is right until a test changes it.
struct Scene {
  explicit Scene(const SoftKey& with) : key(&with), stored(enrol(with)) { data.sign_count = 8; }

  const SoftKey* key;
  StoredCredential stored;
  Ceremony ceremony{
      std::string(32, 's'), "example.org", "Example", {"https://console.example.org"}};
  ClientData client{"webauthn.get", std::string(32, 's')};
  Data data;
  std::string id = kId;
  std::optional<std::string> handle = "handle";
  Identified identified = Identified::by_passkey;
  std::function<void(std::string&)> mangle_signature = [](std::string&) {};
  std::optional<std::string> signed_json;  // what is signed, when it isn't what is sent

  Result<Assertion> verify(std::string_view client_data, std::string_view bytes) const {
    auto signature = key->sign(std::string(bytes) +
                               crypto::sha256(signed_json.value_or(std::string(client_data))));
    mangle_signature(signature);
    return verify_assertion(ceremony, stored, {id, client_data, bytes, signature, handle},
                            identified);
  }
  Result<Assertion> verify() const {
    const auto json = client.json();
    const auto bytes = data.bytes();
    return verify(json, bytes);
  }
};

struct Refusal {
  std::string what;
  std::function<void(Scene&)> change;
  Errc code;
};

const SoftKey& key_of(KeyKind kind) {
  static const SoftKey p256(KeyKind::p256), ed25519(KeyKind::ed25519), rsa(KeyKind::rsa2048);
  return kind == KeyKind::p256 ? p256 : kind == KeyKind::ed25519 ? ed25519 : rsa;
}

const SoftKey& another() {
  static const SoftKey key(KeyKind::p256);
  return key;
}

const std::vector<Refusal> kRefusals{
    {"type", [](Scene& s) { s.client.type = "webauthn.create"; }, Errc::denied},
    {"challenge", [](Scene& s) { s.client.challenge.front() = 'd'; }, Errc::denied},
    {"challenge of the registration", [](Scene& s) { s.client.challenge.assign(32, 'c'); },
     Errc::denied},
    {"origin", [](Scene& s) { s.client.origin = "https://console.example.com"; }, Errc::denied},
    {"crossOrigin", [](Scene& s) { s.client.more = R"(,"crossOrigin":true)"; }, Errc::denied},
    {"topOrigin", [](Scene& s) { s.client.more = R"(,"topOrigin":"https://a.example")"; },
     Errc::denied},
    {"relying party", [](Scene& s) { s.data.rp_id = "console.example.org"; }, Errc::denied},
    {"no user present", [](Scene& s) { s.data.flags = kUv; }, Errc::denied},
    {"user not verified", [](Scene& s) { s.data.flags = kUp; }, Errc::denied},
    {"eligible for backup all at once", [](Scene& s) { s.data.flags |= kBe; }, Errc::denied},
    {"no more eligible", [](Scene& s) { s.stored.backup_eligible = true; }, Errc::denied},
    {"backed up, not eligible", [](Scene& s) { s.data.flags |= kBs; }, Errc::invalid},
    {"counter back", [](Scene& s) { s.data.sign_count = 6; }, Errc::denied},
    {"counter the same", [](Scene& s) { s.data.sign_count = 7; }, Errc::denied},
    {"counter back to zero", [](Scene& s) { s.data.sign_count = 0; }, Errc::denied},
    {"another key", [](Scene& s) { s.key = &another(); }, Errc::denied},
    {"signature with a changed bit",
     [](Scene& s) {
       s.mangle_signature = [](std::string& text) {
         text.back() = static_cast<char>(text.back() ^ 1);
       };
     },
     Errc::denied},
    {"signature empty",
     [](Scene& s) { s.mangle_signature = [](std::string& text) { text.clear(); }; }, Errc::invalid},
    {"signature with a byte more",
     [](Scene& s) { s.mangle_signature = [](std::string& text) { text += '\0'; }; }, Errc::denied},
    {"signature too long",
     [](Scene& s) { s.mangle_signature = [](std::string& text) { text.resize(1025); }; },
     Errc::too_large},
    {"client data changed after signing", [](Scene& s) { s.signed_json = s.client.json() + " "; },
     Errc::denied},
    {"trailing byte", [](Scene& s) { s.data.rest = std::string(1, '\0'); }, Errc::invalid},
    {"extensions without a flag", [](Scene& s) { s.data.rest = cbor_head(5, 0); }, Errc::invalid},
    {"flag without extensions", [](Scene& s) { s.data.flags |= kEd; }, Errc::invalid},
    {"a credential in it",
     [](Scene& s) {
       s.data.flags |= kAt;
       s.data.attested = attested(kId, s.key->cose());
     },
     Errc::invalid},
    {"too long",
     [](Scene& s) {
       s.data.flags |= kEd;
       s.data.rest = cbor_head(5, 1) + cbor_text("a") + cbor_bytes(std::string(4096, 'x'));
     },
     Errc::too_large},
    {"credential id", [](Scene& s) { s.id.back() = 'x'; }, Errc::denied},
    {"user handle of another", [](Scene& s) { s.handle = "other"; }, Errc::denied},
    {"user handle of another, name known",
     [](Scene& s) {
       s.handle = "other";
       s.identified = Identified::before;
     },
     Errc::denied},
    {"user handle empty", [](Scene& s) { s.handle = ""; }, Errc::denied},
    {"user handle missing", [](Scene& s) { s.handle.reset(); }, Errc::denied},
    {"no handle stored",
     [](Scene& s) {
       s.handle = "";
       s.stored.user_handle.clear();
     },
     Errc::denied},
    {"stored key damaged", [](Scene& s) { s.stored.public_key.pop_back(); }, Errc::corrupt},
    {"stored key of no curve", [](Scene& s) { s.stored.public_key.assign(64, '\x01'); },
     Errc::corrupt},
    {"stored algorithm changed", [](Scene& s) { s.stored.algorithm = Algorithm::rs256; },
     Errc::corrupt},
};

}  // namespace

TEST_CASE("sign_in_with_each_algorithm_gives_the_new_state") {
  for (const auto kind : {KeyKind::p256, KeyKind::ed25519, KeyKind::rsa2048}) {
    Scene scene(key_of(kind));
    scene.stored.backup_eligible = true;
    scene.data.flags |= kBe | kBs;
    scene.data.sign_count = 0xfffffffe;
    const auto outcome = scene.verify();
    if (!outcome) FAIL(outcome.error().message);
    CHECK(outcome->sign_count == 0xfffffffe);
    CHECK(outcome->user_verified);
    CHECK(outcome->backed_up);
  }
}

TEST_CASE("sign_in_with_one_wrong_thing_is_refused") {
  for (const auto& refusal : kRefusals) {
    Scene scene(key_of(KeyKind::p256));
    REQUIRE(scene.verify());
    refusal.change(scene);
    const auto outcome = scene.verify();
    INFO(refusal.what);
    REQUIRE_FALSE(outcome);
    INFO(outcome.error().message);
    CHECK(outcome.error().code == refusal.code);
  }
}

TEST_CASE("sign_in_signature_of_any_kind_changed_is_refused") {
  for (const auto kind : {KeyKind::p256, KeyKind::ed25519, KeyKind::rsa2048}) {
    Scene scene(key_of(kind));
    for (const std::size_t at : {0U, 5U, 31U, 40U, 63U}) {
      scene.mangle_signature = [&](std::string& text) {
        text[at] = static_cast<char>(text[at] ^ 0x10);
      };
      INFO(at);
      CHECK_FALSE(scene.verify());
    }
  }
}

TEST_CASE("sign_in_counter_of_zero_on_both_sides_is_no_clone") {
  Scene scene(key_of(KeyKind::p256));
  scene.stored.sign_count = 0;
  scene.data.sign_count = 0;
  CHECK(scene.verify());
  scene.data.sign_count = 1;
  CHECK(scene.verify());
}

TEST_CASE("sign_in_after_a_password_may_lack_verification_and_handle") {
  Scene scene(key_of(KeyKind::p256));
  scene.ceremony.user_verification = UserVerification::preferred;
  scene.identified = Identified::before;
  scene.handle.reset();
  scene.data.flags = kUp;
  const auto outcome = scene.verify();
  REQUIRE(outcome);
  CHECK_FALSE(outcome->user_verified);
  scene.data.flags = 0;
  CHECK_FALSE(scene.verify());
}

TEST_CASE("sign_in_passes_over_extensions_nobody_asked_for") {
  for (const auto& extensions :
       {cbor_head(5, 0),
        cbor_head(5, 1) + cbor_text("hmac-secret") + cbor_bytes("0123456789abcdef"),
        cbor_head(5, 1) + cbor_text("credBlob") + cbor_bytes("x"),
        cbor_head(5, 1) + cbor_text("other") + cbor_integer(1)}) {
    Scene scene(key_of(KeyKind::p256));
    scene.data.flags |= kEd;
    scene.data.rest = extensions;
    INFO(hex_encode(extensions));
    CHECK(scene.verify());
  }
}

TEST_CASE("sign_in_with_truncated_data_is_refused") {
  Scene scene(key_of(KeyKind::p256));
  scene.data.flags |= kEd;
  scene.data.rest = cbor_head(5, 1) + cbor_text("other") + cbor_bytes("some bytes");
  const auto json = scene.client.json();
  const auto bytes = scene.data.bytes();
  REQUIRE(scene.verify(json, bytes));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    INFO("authenticator data of " << size);
    CHECK_FALSE(scene.verify(json, std::string_view(bytes).substr(0, size)));
  }
  for (std::size_t size = 0; size < json.size(); ++size) {
    INFO("client data of " << size);
    CHECK_FALSE(scene.verify(std::string_view(json).substr(0, size), bytes));
  }
}

TEST_CASE("client_data_is_strict_json") {
  const Scene scene(key_of(KeyKind::p256));
  const auto bytes = scene.data.bytes();
  const auto good = scene.client.json();
  const auto with = [&](const std::string& more) {
    auto client = scene.client;
    client.more = more;
    return scene.verify(client.json(), bytes).has_value();
  };
  CHECK(with(""));
  CHECK(with(R"(,"other_keys_can_be_added_here":"do not compare clientDataJSON")"));
  CHECK_FALSE(with(R"(,"a":1})"));  // a brace too many
  CHECK(with(R"(,"extraData":"x","androidPackageName":"y")"));
  CHECK(with(R"(,"tokenBinding":{"status":"supported"})"));
  CHECK(with(R"(,"a":[[[1]]])"));
  CHECK_FALSE(with(R"(,"a":[[[[1]]]])"));  // deeper than four
  CHECK_FALSE(with(","));
  CHECK_FALSE(with(R"(,"a":'x')"));
  CHECK_FALSE(with(R"(,"a":01)"));
  CHECK_FALSE(with(R"(/**/)"));
  CHECK_FALSE(with(",\"a\":\"\xff\""));
  CHECK_FALSE(with(std::string(",\"a\":\"\0\"", 8)));
  for (const auto& json :
       {good + "x", good + good, "[" + good + "]", "\xef\xbb\xbf" + good, std::string("null"),
        std::string("{}"), std::string(R"({"type":"webauthn.get"})"),
        std::string(R"({"type":1,"challenge":1,"origin":1})")}) {
    INFO(json);
    CHECK_FALSE(scene.verify(json, bytes));
  }
}

TEST_CASE("client_data_has_a_length_limit") {
  const Scene scene(key_of(KeyKind::p256));
  const auto bytes = scene.data.bytes();
  for (const std::size_t size : {kMaxClientData - 1, kMaxClientData, kMaxClientData + 1}) {
    auto client = scene.client;
    client.more = R"(,"a":"")";
    client.more.insert(client.more.size() - 1, std::string(size - client.json().size(), 'x'));
    const auto json = client.json();
    REQUIRE(json.size() == size);
    CHECK(scene.verify(json, bytes).has_value() == (size <= kMaxClientData));
  }
}

TEST_CASE("client_data_challenge_is_canonical_base64url") {
  const Scene scene(key_of(KeyKind::p256));
  const auto bytes = scene.data.bytes();
  const auto good = base64url_encode(scene.ceremony.challenge);
  const auto verify = [&](const std::string& challenge) {
    const auto json = R"({"type":"webauthn.get","challenge":")" + challenge +
                      R"(","origin":"https://console.example.org"})";
    return scene.verify(json, bytes).has_value();
  };
  CHECK(verify(good));
  CHECK_FALSE(verify(good + "="));
  CHECK_FALSE(verify(good + "A"));
  CHECK_FALSE(verify(" " + good));
  CHECK_FALSE(verify(good.substr(1)));
  CHECK_FALSE(verify(hex_encode(scene.ceremony.challenge)));
}

TEST_CASE("sign_in_options_are_what_a_browser_parses") {
  const Ceremony ceremony{std::string(32, '\0'), "example.org", "Example", {}};
  CHECK(boost::json::serialize(request_options(ceremony, {})) ==
        R"({"challenge":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","timeout":300000,)"
        R"("rpId":"example.org","allowCredentials":[],"userVerification":"required"})");
  auto second = ceremony;
  second.user_verification = UserVerification::preferred;
  const std::vector<KnownCredential> known{{"\x01\x02\x03", {}}};
  const auto options = request_options(second, known);
  CHECK(options.at("userVerification") == "preferred");
  CHECK(options.at("allowCredentials").at(0).at("id") == "AQID");
  CHECK_FALSE(options.at("allowCredentials").at(0).as_object().contains("transports"));
}
