// RFC 8463 appendix A: its secret key over its message gives its signature, bit by bit (Ed25519 is
// deterministic), through our canonicaliser and our signing.
#include <catch2/catch.hpp>

#include "core/encoding.hpp"
#include "dkim/canonical.hpp"
#include "dkim/fields.hpp"
#include "dkim/sign/key.hpp"

using namespace postern;
using dkim::Canon;

namespace {

constexpr const char* kHeader =
    "From: Joe SixPack <joe@football.example.com>\r\n"
    "To: Suzie Q <suzie@shopping.example.net>\r\n"
    "Subject: Is dinner ready?\r\n"
    "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
    "Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n";
constexpr const char* kBody = "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n";
constexpr const char* kUnsigned =
    "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
    " d=football.example.com; i=@football.example.com;\r\n"
    " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
    " subject : date : message-id : from : subject : date;\r\n"
    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
    " b=";

}  // namespace

TEST_CASE("rfc8463_appendix_a_is_reproduced") {
  const auto seed = base64_decode("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=");
  const auto wrapping = hex_decode("302e020100300506032b657004220420");  // RFC 8410 §7
  REQUIRE((seed && wrapping));
  const auto key = dkim::SigningKey::from_pem("-----BEGIN PRIVATE KEY-----\n" +
                                              base64_encode(*wrapping + *seed) +
                                              "\n-----END PRIVATE KEY-----\n");
  REQUIRE(key);
  CHECK(key->dns_record().value() ==
        "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
  CHECK(base64_encode(dkim::body_hash(kBody)) == "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=");
  std::string data;
  for (const auto& field : dkim::split_fields(kHeader))
    data += dkim::canonical_header(field.raw, Canon::relaxed);
  const auto own = dkim::canonical_header(kUnsigned, Canon::relaxed);
  data += own.substr(0, own.size() - 2);
  CHECK(base64_encode(key->sign(data).value()) ==
        "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==");
}
