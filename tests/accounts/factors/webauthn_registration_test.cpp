// Registration, one wrong thing at a time. Expected outcomes are those of Web Authentication
// Level 3 §7.1; the answers come from a software authenticator that shares no code with the server.
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

/// A registration that is right until a test changes it.
struct Scene {
  explicit Scene(KeyKind kind = KeyKind::p256) : key(kind) {
    data.flags = kUp | kUv | kAt;
    data.attested = attested(kId, key.cose());
  }

  SoftKey key;
  Ceremony ceremony{std::string(32, 'c'),
                    "example.org",
                    "Example",
                    {"https://console.example.org", "https://example.org:8443"}};
  ClientData client{"webauthn.create", std::string(32, 'c')};
  Data data;
  std::string format = "none";
  std::optional<std::string> statement;  // made by the format unless a test sets it
  std::function<std::string(std::string)> mangle = [](std::string object) { return object; };

  Result<Credential> verify() const {
    const auto client_data = client.json();
    const auto bytes = data.bytes();
    auto made = cbor_head(5, 0);
    if (format == "packed") made = self_statement(key, bytes, client_data);
    const auto object = mangle(attestation_object(format, statement.value_or(made), bytes));
    return verify_registration(ceremony, {client_data, object});
  }
};

struct Refusal {
  std::string what;
  std::function<void(Scene&)> change;
  Errc code;
};

void check_refusals(const std::string& format, const std::vector<Refusal>& table) {
  for (const auto& refusal : table) {
    Scene scene;
    scene.format = format;
    REQUIRE(scene.verify());
    refusal.change(scene);
    const auto outcome = scene.verify();
    INFO(format << ": " << refusal.what);
    REQUIRE_FALSE(outcome);
    INFO(outcome.error().message);
    CHECK(outcome.error().code == refusal.code);
  }
}

const std::vector<Refusal> kRefusals{
    {"type", [](Scene& s) { s.client.type = "webauthn.get"; }, Errc::denied},
    {"type in capitals", [](Scene& s) { s.client.type = "Webauthn.create"; }, Errc::denied},
    {"challenge", [](Scene& s) { s.client.challenge.back() = 'd'; }, Errc::denied},
    {"challenge longer", [](Scene& s) { s.client.challenge += 'c'; }, Errc::denied},
    {"challenge empty", [](Scene& s) { s.client.challenge.clear(); }, Errc::denied},
    {"no challenge here",
     [](Scene& s) {
       s.ceremony.challenge.clear();
       s.client.challenge.clear();
     },
     Errc::invalid},
    {"origin", [](Scene& s) { s.client.origin = "https://console.example.net"; }, Errc::denied},
    {"origin without TLS", [](Scene& s) { s.client.origin = "http://console.example.org"; },
     Errc::denied},
    {"origin with another port",
     [](Scene& s) { s.client.origin = "https://console.example.org:444"; }, Errc::denied},
    {"origin of a subdomain",
     [](Scene& s) { s.client.origin = "https://evil.console.example.org"; }, Errc::denied},
    {"origin with a slash", [](Scene& s) { s.client.origin += "/"; }, Errc::denied},
    {"no origin allowed", [](Scene& s) { s.ceremony.origins.clear(); }, Errc::denied},
    {"crossOrigin", [](Scene& s) { s.client.more = R"(,"crossOrigin":true)"; }, Errc::denied},
    {"crossOrigin no boolean", [](Scene& s) { s.client.more = R"(,"crossOrigin":"false")"; },
     Errc::invalid},
    {"topOrigin", [](Scene& s) { s.client.more = R"(,"topOrigin":"https://a.example")"; },
     Errc::denied},
    {"relying party", [](Scene& s) { s.data.rp_id = "example.net"; }, Errc::denied},
    {"no user present", [](Scene& s) { s.data.flags = kUv | kAt; }, Errc::denied},
    {"user not verified", [](Scene& s) { s.data.flags = kUp | kAt; }, Errc::denied},
    {"backed up, not eligible", [](Scene& s) { s.data.flags |= kBs; }, Errc::invalid},
    {"flag without a credential", [](Scene& s) { s.data.attested.clear(); }, Errc::invalid},
    {"no flag for the credential", [](Scene& s) { s.data.flags = kUp | kUv; }, Errc::invalid},
    {"no credential",
     [](Scene& s) {
       s.data.flags = kUp | kUv;
       s.data.attested.clear();
     },
     Errc::invalid},
    {"trailing byte", [](Scene& s) { s.data.rest = std::string(1, '\0'); }, Errc::invalid},
    {"flag without extensions", [](Scene& s) { s.data.flags |= kEd; }, Errc::invalid},
    {"extensions without a flag", [](Scene& s) { s.data.rest = cbor_head(5, 0); }, Errc::invalid},
    {"extensions no map",
     [](Scene& s) {
       s.data.flags |= kEd;
       s.data.rest = cbor_integer(1);
     },
     Errc::invalid},
    {"unknown algorithm",
     [](Scene& s) {
       s.data.attested = attested(kId, SoftKey(KeyKind::p384).cose());
       s.statement = cbor_head(5, 0);
       s.format = "none";
     },
     Errc::unsupported},
    {"RSA of 3072 bits",
     [](Scene& s) {
       s.data.attested = attested(kId, SoftKey(KeyKind::rsa3072).cose());
       s.statement = cbor_head(5, 0);
       s.format = "none";
     },
     Errc::invalid},
    {"trailing byte behind the object",
     [](Scene& s) { s.mangle = [](std::string object) { return object + '\0'; }; }, Errc::invalid},
    {"unknown format",
     [](Scene& s) {
       s.format = "tpm";
       s.statement = cbor_head(5, 0);
     },
     Errc::unsupported},
    {"format in capitals",
     [](Scene& s) {
       s.format = "None";
       s.statement = cbor_head(5, 0);
     },
     Errc::unsupported},
    {"statement of another form",
     [](Scene& s) { s.statement = cbor_head(5, 1) + cbor_text("foo") + cbor_integer(1); },
     Errc::invalid},
    {"statement no map", [](Scene& s) { s.statement = cbor_integer(0); }, Errc::invalid},
    {"fido-u2f without its members",
     [](Scene& s) {
       s.format = "fido-u2f";
       s.statement = cbor_head(5, 0);
     },
     Errc::invalid},
};

}  // namespace

TEST_CASE("registration_of_each_algorithm_and_format_is_taken") {
  for (const auto kind : {KeyKind::p256, KeyKind::ed25519, KeyKind::rsa2048}) {
    for (const std::string format : {"none", "packed"}) {
      Scene scene(kind);
      scene.format = format;
      scene.data.flags |= kBe | kBs;
      scene.data.sign_count = 0x01020304;
      const auto credential = scene.verify();
      if (!credential) FAIL(credential.error().message);
      CHECK(credential->id == kId);
      CHECK(static_cast<int>(credential->algorithm) == scene.key.algorithm());
      CHECK(credential->sign_count == 0x01020304);
      CHECK(credential->aaguid == "model of 16 byte");
      CHECK(credential->format == format);
      CHECK((credential->user_verified && credential->backup_eligible && credential->backed_up));
      // The key's own bytes are in the form that is stored.
      const auto form = kind == KeyKind::p256 ? 64U : kind == KeyKind::ed25519 ? 32U : 259U;
      CHECK(credential->public_key.size() == form);
      CHECK(scene.key.cose().find(credential->public_key.substr(0, 32)) != std::string::npos);
    }
  }
}

TEST_CASE("registration_with_one_wrong_thing_is_refused") {
  check_refusals("none", kRefusals);
  check_refusals("packed", kRefusals);
}

TEST_CASE("registration_self_attestation_must_be_by_the_credential") {
  const SoftKey other(KeyKind::p256);
  const SoftKey eddsa(KeyKind::ed25519);
  check_refusals(
      "packed",
      {{"signature of another key",
        [&](Scene& s) { s.statement = self_statement(other, s.data.bytes(), s.client.json()); },
        Errc::denied},
       {"another algorithm",
        [&](Scene& s) { s.statement = self_statement(eddsa, s.data.bytes(), s.client.json()); },
        Errc::denied},
       {"signature over other client data",
        [&](Scene& s) { s.statement = self_statement(s.key, s.data.bytes(), "{}"); }, Errc::denied},
       {"no signature",
        [](Scene& s) { s.statement = cbor_head(5, 1) + cbor_text("alg") + cbor_integer(-7); },
        Errc::invalid},
       {"an algorithm that isn't accepted",
        [](Scene& s) {
          s.statement = cbor_head(5, 2) + cbor_text("alg") + cbor_integer(-65535) +
                        cbor_text("sig") + cbor_bytes("x");
        },
        Errc::unsupported},
       {"certificate that is none",
        [](Scene& s) {
          s.statement = cbor_head(5, 3) + cbor_text("alg") + cbor_integer(-7) + cbor_text("sig") +
                        cbor_bytes("x") + cbor_text("x5c") + cbor_head(4, 1) + cbor_bytes("0");
        },
        Errc::invalid},
       {"no certificate in the list",
        [](Scene& s) {
          s.statement = cbor_head(5, 3) + cbor_text("alg") + cbor_integer(-7) + cbor_text("sig") +
                        cbor_bytes("x") + cbor_text("x5c") + cbor_head(4, 0);
        },
        Errc::invalid}});
}

TEST_CASE("registration_credential_id_has_16_to_1023_bytes") {
  for (const std::size_t size : {0U, 1U, 15U, 16U, 17U, 1022U, 1023U, 1024U, 2000U}) {
    Scene scene;
    scene.data.attested = attested(std::string(size, 'i'), scene.key.cose());
    INFO(size);
    CHECK(scene.verify().has_value() == (size >= 16 && size <= 1023));
  }
}

TEST_CASE("registration_with_truncated_authenticator_data_is_refused") {
  for (const auto kind : {KeyKind::p256, KeyKind::ed25519, KeyKind::rsa2048}) {
    Scene scene(kind);
    const auto client_data = scene.client.json();
    const auto whole = scene.data.bytes();
    for (std::size_t size = 0; size <= whole.size(); ++size) {
      INFO(size);
      const auto object =
          attestation_object("none", cbor_head(5, 0), std::string_view(whole).substr(0, size));
      const auto outcome = verify_registration(scene.ceremony, {client_data, object});
      CHECK(outcome.has_value() == (size == whole.size()));
    }
  }
}

TEST_CASE("registration_passes_over_extensions_nobody_asked_for") {
  const auto level = [](int value) {
    return cbor_head(5, 1) + cbor_text("credProtect") + cbor_integer(value);
  };
  const std::string yes(1, '\xf5');
  for (const auto& extensions :
       {cbor_head(5, 0), level(1), level(2), level(3),
        cbor_head(5, 1) + cbor_text("hmac-secret") + yes,
        cbor_head(5, 2) + cbor_text("credProtect") + cbor_integer(2) + cbor_text("hmac-secret") +
            yes,
        cbor_head(5, 1) + cbor_text("something") + cbor_head(4, 1) + cbor_integer(7)}) {
    for (const std::string format : {"none", "packed"}) {
      Scene scene;
      scene.format = format;
      scene.data.flags |= kEd;
      scene.data.rest = extensions;
      INFO(hex_encode(extensions) << " " << format);
      CHECK(scene.verify());
      scene.data.rest += '\0';
      CHECK_FALSE(scene.verify());
    }
  }
}

TEST_CASE("registration_public_key_must_be_one") {
  const auto x = std::string(32, '\x01');
  const auto ec = [&](std::int64_t type, std::int64_t curve, const std::string& first,
                      const std::string& second) {
    return cbor_head(5, 5) + cbor_integer(1) + cbor_integer(type) + cbor_integer(3) +
           cbor_integer(-7) + cbor_integer(-1) + cbor_integer(curve) + cbor_integer(-2) +
           cbor_bytes(first) + cbor_integer(-3) + cbor_bytes(second);
  };
  const auto good = SoftKey(KeyKind::p256).cose();
  for (const auto& cose : {
           ec(2, 1, x, x),  // not on the curve
           ec(2, 1, std::string(32, '\0'), std::string(32, '\0')), ec(2, 2, x, x), ec(1, 1, x, x),
           ec(2, 1, x, x.substr(1)), ec(2, 1, x + x, x), cbor_head(5, 0), cbor_head(4, 0),
           cbor_bytes("key"), cbor_integer(3), cbor_head(5, 1) + cbor_integer(3) + cbor_integer(-7),
           cbor_head(5, 1) + cbor_integer(3) + cbor_text("ES256"),
           cbor_head(5, 6) + good.substr(1) + cbor_integer(3) + cbor_integer(-7),  // alg twice
           cbor_head(5, 6) + good.substr(1) + cbor_text("a") + cbor_integer(1),    // text label
           std::string("\xb8\x05") + good.substr(1),       // a head longer than it need be
           std::string("\xbf") + good.substr(1) + "\xff",  // indefinite length
       }) {
    Scene scene;
    scene.data.attested = attested(kId, cose);
    INFO(hex_encode(cose));
    CHECK_FALSE(scene.verify());
  }
}

TEST_CASE("registration_object_has_three_members_in_any_order") {
  const Scene scene;
  const auto client_data = scene.client.json();
  const auto format = cbor_text("fmt") + cbor_text("none");
  const auto statement = cbor_text("attStmt") + cbor_head(5, 0);
  const auto data = cbor_text("authData") + cbor_bytes(scene.data.bytes());
  const auto verify = [&](const std::string& object) {
    return verify_registration(scene.ceremony, {client_data, object}).has_value();
  };
  CHECK(verify(cbor_head(5, 3) + format + statement + data));
  CHECK(verify(cbor_head(5, 3) + data + format + statement));
  CHECK_FALSE(verify(cbor_head(5, 2) + format + data));
  CHECK_FALSE(verify(cbor_head(5, 3) + format + format + data));
  CHECK_FALSE(verify(cbor_head(5, 4) + format + statement + data + data));
  CHECK_FALSE(verify(cbor_head(5, 4) + format + statement + data + cbor_text("x") + format));
  CHECK_FALSE(verify(cbor_head(5, 2) + format + statement + data));
  CHECK_FALSE(verify(cbor_head(4, 3) + format + statement + data));
  CHECK_FALSE(verify("\xbf" + format + statement + data + "\xff"));
  CHECK_FALSE(verify("\xc1" + cbor_head(5, 3) + format + statement + data));  // a tag
  CHECK_FALSE(verify(""));
  CHECK_FALSE(verify(std::string(kMaxAttestation + 1, '\x81')));
  CHECK_FALSE(verify(std::string(kMaxAttestation, '\x81')));
}

TEST_CASE("registration_options_are_what_a_browser_parses") {
  const Ceremony ceremony{std::string(32, '\xff'), "example.org", "Example", {}};
  const std::vector<KnownCredential> known{{"\x01\x02\x03", {"usb", "internal"}}, {"\xfb\xff", {}}};
  const auto text = boost::json::serialize(creation_options(
      ceremony, {"handle", "a@example.org", "Alice \"A\""}, ResidentKey::required, known));
  // RFC 4648 §5: 32 octets of ones are 42 underscores and an 8.
  CHECK(
      text ==
      R"({"rp":{"id":"example.org","name":"Example"},)"
      R"("user":{"id":"aGFuZGxl","name":"a@example.org","displayName":"Alice \"A\""},)"
      R"("challenge":"__________________________________________8",)"
      R"("pubKeyCredParams":[{"type":"public-key","alg":-7},{"type":"public-key","alg":-8},)"
      R"({"type":"public-key","alg":-257}],"timeout":300000,)"
      R"("excludeCredentials":[{"type":"public-key","id":"AQID","transports":["usb","internal"]},)"
      R"({"type":"public-key","id":"-_8"}],)"
      R"("authenticatorSelection":{"residentKey":"required","requireResidentKey":true,)"
      R"("userVerification":"required"},"attestation":"none"})");
  const auto soft =
      creation_options(ceremony, {std::string(64, 'h'), "a", "a"}, ResidentKey::preferred, {});
  CHECK(soft.at("authenticatorSelection").at("residentKey") == "preferred");
  CHECK(soft.at("authenticatorSelection").at("requireResidentKey") == false);
  CHECK_THROWS(
      creation_options(ceremony, {std::string(65, 'h'), "a", "a"}, ResidentKey::preferred, {}));
  CHECK_THROWS(creation_options(ceremony, {"", "a", "a"}, ResidentKey::preferred, {}));
  CHECK(make_challenge().size() == 32);
  CHECK(make_challenge() != make_challenge());
}
