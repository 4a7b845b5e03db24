// The URLs of streams.
#include "accounts/audit/stream/destination.hpp"

#include <catch2/catch.hpp>

using namespace postern;
using namespace postern::accounts::audit;

TEST_CASE("destination_shows_its_origin_alone", "[audit][stream]") {
  struct Case {
    const char* url;
    Transport transport;
    const char* origin;
    const char* authority;
  };
  constexpr Case kCases[] = {
      {"https://logs.example.net/in?token=s#f", Transport::https, "https://logs.example.net",
       "logs.example.net"},
      {"https://logs.example.net:8443", Transport::https, "https://logs.example.net:8443",
       "logs.example.net:8443"},
      {"HTTPS://logs.example.net?s", Transport::https, "https://logs.example.net",
       "logs.example.net"},
      {"syslog+tls://logs.example.net", Transport::syslog, "syslog+tls://logs.example.net",
       "logs.example.net"},
      {"syslog+tls://[2001:db8::1]:6514/", Transport::syslog, "syslog+tls://[2001:db8::1]:6514",
       "[2001:db8::1]:6514"},
  };
  for (const auto& one : kCases) {
    CAPTURE(one.url);
    const auto parsed = parse_destination(one.url);
    REQUIRE(parsed);
    CHECK(parsed->transport == one.transport);
    CHECK(parsed->url == one.url);
    CHECK(parsed->origin == one.origin);
    CHECK(parsed->authority() == one.authority);
  }
}

TEST_CASE("destination_of_another_form_is_refused", "[audit][stream]") {
  for (const char* url :
       {"", "logs.example.net", "http://logs.example.net/", "syslog://logs.example.net",
        "syslog+tcp://logs.example.net", "https:/logs.example.net", "syslog+tls:logs.example.net",
        "syslog+tls://logs.example.net/path", "syslog+tls://logs.example.net?x",
        "https://logs.example.net/a b", "https://logs.example.net/\n",
        "https://logs.example.net/\xc3\xbc"}) {
    CAPTURE(url);
    const auto parsed = parse_destination(url);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == Errc::invalid);
  }
  const std::string base = "https://logs.example.net/";
  CHECK(parse_destination(base + std::string(2'048 - base.size(), 'a')));
  CHECK_FALSE(parse_destination(base + std::string(2'049 - base.size(), 'a')));
}

TEST_CASE("stream_secret_is_visible_ascii_of_1_to_1024", "[audit][stream]") {
  CHECK(check_stream_secret("a"));
  CHECK(check_stream_secret(std::string(1'024, '~')));
  CHECK_FALSE(check_stream_secret(""));
  CHECK_FALSE(check_stream_secret(std::string(1'025, 'a')));
  for (const char* text : {"a b", "a\r\nX: y", "a\t", "\x7f", "\xc3\xbc"}) {
    CHECK_FALSE(check_stream_secret(text));
  }
}
