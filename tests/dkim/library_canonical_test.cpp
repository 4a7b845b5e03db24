// libopendkim as a second opinion on our canonicaliser: it signs, and the hash it puts in bh= and
// the header bytes it signs must be ours, in all four combinations.
#include <catch2/catch.hpp>

#define _Bool bool
#include <opendkim/dkim.h>
#undef _Bool

#include <cstring>

#include "core/ascii.hpp"
#include "core/encoding.hpp"
#include "dkim/canonical.hpp"
#include "dkim/fields.hpp"
#include "dkim/sign/key.hpp"
#include "tests/dkim/mail.hpp"

// Inside the namespace, since the C header has a struct of the same name.
namespace postern {

using dkim::Canon;

namespace {

unsigned char* bytes_of(const std::string& text) {
  return const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(text.data()));
}

// The value of the DKIM-Signature field that the library makes.
std::string sign_with_library(const std::string& header, const std::string& body,
                              Canon header_canon, Canon body_canon, const std::string& pem) {
  const auto code = [](Canon canon) {
    return canon == Canon::simple ? DKIM_CANON_SIMPLE : DKIM_CANON_RELAXED;
  };
  DKIM_LIB* lib = dkim_init(nullptr, nullptr);
  REQUIRE(lib != nullptr);
  DKIM_STAT status = DKIM_STAT_OK;
  DKIM* handle = ::dkim_sign(lib, bytes_of("test"), nullptr, bytes_of(pem), bytes_of("s1"),
                             bytes_of("example.com"), code(header_canon), code(body_canon),
                             DKIM_SIGN_RSASHA256, -1, &status);
  REQUIRE(handle != nullptr);
  for (const auto& field : dkim::split_fields(header)) {
    std::string raw(field.raw);
    raw.resize(raw.size() - 2);
    REQUIRE(dkim_header(handle, bytes_of(raw), raw.size()) == DKIM_STAT_OK);
  }
  REQUIRE(dkim_eoh(handle) == DKIM_STAT_OK);
  if (!body.empty()) REQUIRE(dkim_body(handle, bytes_of(body), body.size()) == DKIM_STAT_OK);
  REQUIRE(dkim_eom(handle, nullptr) == DKIM_STAT_OK);
  unsigned char* made = nullptr;
  std::size_t size = 0;
  REQUIRE(dkim_getsighdr_d(handle, std::strlen(DKIM_SIGNHEADER) + 2, &made, &size) == DKIM_STAT_OK);
  std::string value(reinterpret_cast<const char*>(made), size);
  dkim_free(handle);
  dkim_close(lib);
  return value;
}

std::string tag(const std::string& value, const std::string& name) {
  std::string bare;
  for (char c : value) {
    if (c != ' ' && c != '\t' && c != '\r' && c != '\n') bare += c;
  }
  const auto at = (";" + bare).find(";" + name + "=");
  REQUIRE(at != std::string::npos);
  const auto start = at + name.size() + 1;
  return bare.substr(start, bare.find(';', start) - start);
}

// What we would sign, given the library's field.
std::string our_header_input(const std::string& header, const std::string& value, Canon canon) {
  std::string data;
  const auto fields = dkim::split_fields(header);
  std::vector<bool> used(fields.size(), false);
  std::string names = tag(value, "h") + ":";
  for (std::size_t at = 0; at < names.size();) {
    const auto end = names.find(':', at);
    for (std::size_t i = fields.size(); i-- > 0;) {
      if (used[i] || !ascii::iequals(fields[i].name, names.substr(at, end - at))) continue;
      used[i] = true;
      data += dkim::canonical_header(fields[i].raw, canon);
      break;
    }
    at = end + 1;
  }
  std::string own = "DKIM-Signature: " + value;
  own.erase(own.rfind("b=") + 2);
  own = dkim::canonical_header(own, canon);
  return data + own.substr(0, own.size() - 2);
}

}  // namespace

TEST_CASE("libopendkim_agrees_on_every_canonical_form") {
  const auto pair = dkim::generate(dkim::Algorithm::rsa2048);
  REQUIRE(pair);
  const auto key = dkim::SigningKey::from_pem(pair->private_pem);
  REQUIRE(key);
  const std::string header =
      "From: Joe  <joe@example.com> \r\nSUBJECT :\t odd \t case\r\n\t folded\r\n  twice "
      "\r\nTo:\r\n a@b.example,\r\n\tc@d.example\r\n"
      "Date:x\r\nMessage-ID:  <1@example.com>\t\r\nReply-To:\r\n";
  const char* bodies[] = {"",
                          "\r\n",
                          "\r\n\r\n",
                          " \r\n\t\r\n",
                          "a\r\n",
                          "a \t b\t\r\n\r\n",
                          "\r\n\r\na\r\n \r\n\r\nb \r\n\r\n \r\n",
                          "\ta\r\n b\r\n",
                          ".\r\n..\r\n",
                          "8bit \xc3\xa4\r\n",
                          "long line \r\n"};
  for (const char* body : bodies) {
    for (const Canon head : {Canon::simple, Canon::relaxed}) {
      for (const Canon tail : {Canon::simple, Canon::relaxed}) {
        const auto value = sign_with_library(header, body, head, tail, pair->private_pem);
        INFO("body [" << body << "] " << value);
        CHECK(tag(value, "bh") == base64_encode(dkim::body_hash(body, tail)));
        // RSA with PKCS #1 v1.5 padding is deterministic: equal signatures mean equal input.
        CHECK(tag(value, "b") ==
              base64_encode(key->sign(our_header_input(header, value, head)).value()));
      }
    }
  }
}

}  // namespace postern
