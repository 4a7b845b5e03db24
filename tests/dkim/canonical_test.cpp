// Our canonicaliser: RFC 6376's examples, every split of the input, and libopendkim as second
// opinion.
#include "dkim/canonical.hpp"

#include <catch2/catch.hpp>

#include "core/encoding.hpp"

using namespace postern;
using dkim::Canon;

namespace {

std::string canonical_body(std::string_view body, Canon canon, std::size_t slice) {
  dkim::BodyCanon machine(canon);
  std::string out;
  for (std::size_t at = 0; at < body.size(); at += slice) machine.feed(body.substr(at, slice), out);
  machine.finish(out);
  return out;
}

}  // namespace

TEST_CASE("header_canonical_forms_of_rfc6376_3_4_5") {
  CHECK(dkim::canonical_header("A: X\r\n", Canon::relaxed) == "a:X\r\n");
  CHECK(dkim::canonical_header("B : Y\t\r\n\tZ  \r\n", Canon::relaxed) == "b:Y Z\r\n");
  CHECK(dkim::canonical_header("B : Y\t\r\n\tZ  \r\n", Canon::simple) == "B : Y\t\r\n\tZ  \r\n");
  CHECK(dkim::canonical_header("Empty:\r\n", Canon::relaxed) == "empty:\r\n");
  CHECK(dkim::canonical_header("Empty: \r\n \r\n", Canon::relaxed) == "empty:\r\n");
}

TEST_CASE("body_canonical_forms") {
  struct Case {
    const char* body;
    const char* simple;
    const char* relaxed;
  };
  const Case cases[] = {
      {" C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n", " C\r\nD E\r\n"},  // RFC 6376 §3.4.5
      {"", "\r\n", ""},
      {"\r\n", "\r\n", ""},
      {"\r\n\r\n\r\n", "\r\n", ""},
      {" \r\n\t\r\n", " \r\n\t\r\n", ""},
      {"a", "a\r\n", "a\r\n"},
      {"a\r\n\r\n\r\nb", "a\r\n\r\n\r\nb\r\n", "a\r\n\r\n\r\nb\r\n"},
      {"a \r\n \r\nb\t\t\r\n", "a \r\n \r\nb\t\t\r\n", "a\r\n\r\nb\r\n"},
      {"a\t ", "a\t \r\n", "a\r\n"},
      {"\r\n\r\na\r\n", "\r\n\r\na\r\n", "\r\n\r\na\r\n"},
      {"  a  b  \r\n", "  a  b  \r\n", " a b\r\n"},
      {"a b c\r\nd e\r\n", "a b c\r\nd e\r\n", "a b c\r\nd e\r\n"},
      {" a b\r\n \ta \t b\r\n", " a b\r\n \ta \t b\r\n", " a b\r\n a b\r\n"},
      {"a\tb c\r\nd\t\r\n", "a\tb c\r\nd\t\r\n", "a b c\r\nd\r\n"},
      {"a b \rc  d\r\n", "a b \rc  d\r\n", "a b \rc d\r\n"},  // a bare CR is content
  };
  for (const auto& one : cases) {
    for (std::size_t slice = 1; slice <= 7; ++slice) {
      INFO(one.body << " in slices of " << slice);
      CHECK(canonical_body(one.body, Canon::simple, slice) == one.simple);
      CHECK(canonical_body(one.body, Canon::relaxed, slice) == one.relaxed);
    }
  }
}

TEST_CASE("body_hash_of_an_empty_body") {
  // RFC 6376 §3.4.3 and §3.4.4 give these for SHA-256.
  CHECK(base64_encode(dkim::body_hash("", Canon::simple)) ==
        "frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=");
  CHECK(base64_encode(dkim::body_hash("", Canon::relaxed)) ==
        "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
}
