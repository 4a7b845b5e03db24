#include "core/outbound/url.hpp"

#include <catch2/catch.hpp>

namespace {
using namespace postern;
using namespace postern::outbound;

std::optional<Errc> verdict(std::string_view text, const OutboundOptions& options = {}) {
  const auto url = check_url(text, options);
  if (url) return std::nullopt;
  return url.error().code;
}

OutboundOptions testing() {
  OutboundOptions options;
  options.addresses.allow_loopback = true;
  options.allow_http_on_loopback = true;
  options.any_port = true;
  return options;
}

std::string location(std::string_view base, std::string_view to) {
  const auto url = check_redirect(check_url(base, {}).value(), to, {});
  return url ? url->text() : "refused";
}
}  // namespace

TEST_CASE("url_parts_are_canonical", "[outbound]") {
  struct Row {
    const char* text;
    const char* host;
    unsigned port;
    const char* target;
    const char* authority;
  };
  const Row rows[] = {
      {"https://hooks.example.com", "hooks.example.com", 443, "/", "hooks.example.com"},
      {"HTTPS://Hooks.EXAMPLE.com./", "hooks.example.com", 443, "/", "hooks.example.com"},
      {"https://example.com:443/a", "example.com", 443, "/a", "example.com"},
      {"https://example.com:8443/a/%2e%2e/b?q=%20&r=/?", "example.com", 8443,
       "/a/%2e%2e/b?q=%20&r=/?", "example.com:8443"},
      {"https://example.com?x=1", "example.com", 443, "/?x=1", "example.com"},
      {"https://example.com/?", "example.com", 443, "/?", "example.com"},
      {"https://example.com/a#secret", "example.com", 443, "/a", "example.com"},
      {"https://xn--bcher-kva.example/", "xn--bcher-kva.example", 443, "/",
       "xn--bcher-kva.example"},
      {"https://1.2.3.example/", "1.2.3.example", 443, "/", "1.2.3.example"},
      {"https://3com.example/@x:y", "3com.example", 443, "/@x:y", "3com.example"},
      {"https://10.0.0.1.example.com/x", "10.0.0.1.example.com", 443, "/x", "10.0.0.1.example.com"},
      {"https://8.8.8.8/", "8.8.8.8", 443, "/", "8.8.8.8"},
      {"https://[2001:4860:4860:0:0:0:0:8888]:8443/", "2001:4860:4860::8888", 8443, "/",
       "[2001:4860:4860::8888]:8443"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto url = check_url(row.text, {});
    REQUIRE(url);
    CHECK(url->host == row.host);
    CHECK(url->port == row.port);
    CHECK(url->target == row.target);
    CHECK(url->authority() == row.authority);
    CHECK(url->text() == std::string("https://") + row.authority + row.target);
  }
}

// Each is a spelling that some URL parser or resolver takes for 127.0.0.1 or 169.254.169.254, even
// where an option lets loopback itself through.
TEST_CASE("url_with_an_unusual_form_of_an_address_is_invalid", "[outbound]") {
  for (const char* host : {"2130706433",
                           "0x7f000001",
                           "0X7F000001",
                           "017700000001",
                           "0x7f.0.0.1",
                           "0x7f.1",
                           "127.1",
                           "127.0.1",
                           "0177.0.0.1",
                           "0177.1",
                           "0177.0.0.01",
                           "127.0.0.01",
                           "127.0.0.0x1",
                           "127.000.000.001",
                           "00127.0.0.1",
                           "127.0.0.1.",
                           "127.1.",
                           "0x7f.1.",
                           "127.0.0.1..",
                           "127..0.0.1",
                           ".127.0.0.1",
                           "127.0.0.256",
                           "127.0.0.1.1",
                           "4294967297",
                           "0",
                           "0x",
                           "0.0",
                           "00000000000000000000177.1",
                           "2852039166",
                           "0xa9fea9fe",
                           "0xA9.0xFE.0xA9.0xFE",
                           "0251.0376.0251.0376",
                           "025177524776",
                           "169.254.43518",
                           "169.16689662",
                           "0xa9.254.0251.254",
                           "169.254.169.254.",
                           "425.510.425.510",
                           "7147006462",
                           "%31%32%37.0.0.1",
                           "127%2e0.0.1",
                           "127.0.0.1%00.example.com",
                           "example.com%00",
                           "127.0.0.1%2f.example.com",
                           "[127.0.0.1]",
                           "[::1",
                           "::1",
                           "[::1%25lo]",
                           "[fe80::1%25eth0]",
                           "[::1%lo]",
                           "[v1.fe80::a]",
                           "[]",
                           "[::g]",
                           "[0:0:0:0:0:0:0:0:1]",
                           "127.0.0.1:443:443",
                           "1-2.3",
                           "a.0x7f",
                           "a.1"}) {
    CAPTURE(host);
    CHECK(verdict("https://" + std::string(host) + "/", testing()) == Errc::invalid);
  }
}

TEST_CASE("url_with_characters_that_parsers_differ_over_is_invalid", "[outbound]") {
  using namespace std::string_view_literals;
  for (const auto text : {
           "https://good.example@127.0.0.1/"sv,
           "https://good.example:pw@evil.example/"sv,
           "https://@evil.example/"sv,
           "https://:@evil.example/"sv,
           "https://a@b@evil.example/"sv,
           "https://good.example\\@evil.example/"sv,
           "https:\\\\evil.example/"sv,
           "https://good.example\\.evil.example/"sv,
           "https:/\\evil.example/"sv,
           "https://good.example/\\evil.example"sv,
           "https://evil.example/\tx"sv,
           "https://ev\til.example/"sv,
           "https://evil.example\n/"sv,
           "\thttps://evil.example/"sv,
           " https://evil.example/"sv,
           "https://evil.example/ "sv,
           "https://evil.example/a b"sv,
           "https://evil.example/\r\nHost: x"sv,
           "ht\ntps://evil.example/"sv,
           "https://evil.example/%00"sv,
           "https://evil.example/a\0b"sv,
           "https://evil.example\0/"sv,
           "https://evil.example/\x7f"sv,
           "https://evil.example/%"sv,
           "https://evil.example/%zz"sv,
           "https://evil.example/<x>"sv,
           "https://evil.example/{x}"sv,
           "https://evil.example/\"x"sv,
           "https://evil.example/|"sv,
           "https://evil.example/^"sv,
           // Digits and dots that Unicode normalisation makes into ASCII (NFKC).
           "https://１２７.０.０.１/"sv,
           "https://①②⑦.⓪.⓪.①/"sv,
           "https://127。0。0。1/"sv,
           "https://127．0．0．1/"sv,
           "https://127｡0｡0｡1/"sv,
           "https://ⓔⓧⓐⓜⓟⓛⓔ.com/"sv,
           "https://b\xc3\xbc"
           "cher.example/"sv,
           "https://evil.example/\xff"sv,
           "https://evil.example/\xe2\x80\xae"sv,
       }) {
    CAPTURE(text);
    CHECK(verdict(text, testing()) == Errc::invalid);
  }
}

TEST_CASE("url_without_a_proper_scheme_host_or_port_is_invalid", "[outbound]") {
  for (const char* text : {"",
                           "/",
                           "//example.com/",
                           "example.com",
                           "https:",
                           "https:/",
                           "https://",
                           "https:///path",
                           "https:example.com",
                           "https:/example.com/",
                           "https://:443/",
                           "https://?x",
                           "https://#x",
                           "http://example.com/",
                           "ftp://example.com/",
                           "file:///etc/passwd",
                           "gopher://example.com/",
                           "javascript:alert(1)",
                           "https+unix://example.com/",
                           "unix:/run/x.sock",
                           "httpss://a.example/",
                           "https://example.com:/",
                           "https://example.com:0/",
                           "https://example.com:00443/",
                           "https://example.com:65536/",
                           "https://example.com:4294967739/",
                           "https://example.com:+443/",
                           "https://example.com:-1/",
                           "https://example.com:0x1bb/",
                           "https://example.com:443x/",
                           "https://com/",
                           "https://intranet/",
                           "https://./",
                           "https://../",
                           "https://.example.com/",
                           "https://example..com/",
                           "https://example.com../",
                           "https://-a.example/",
                           "https://a-.example/",
                           "https://a_b.example/",
                           "https://a*.example/",
                           "https://a,b.example/",
                           "https://[2001:4860::8888]x/",
                           "https://x[2001:4860::8888]/",
                           "https://[2001:4860::8888/"}) {
    CAPTURE(text);
    CHECK(verdict(text) == Errc::invalid);
  }
}

TEST_CASE("url_to_a_refused_address_or_local_name_is_denied", "[outbound]") {
  for (const char* host : {"127.0.0.1",
                           "127.255.255.254",
                           "0.0.0.0",
                           "169.254.169.254",
                           "10.0.0.1",
                           "192.168.1.1",
                           "172.16.0.1",
                           "100.64.0.1",
                           "255.255.255.255",
                           "[::]",
                           "[::1]",
                           "[0:0:0:0:0:0:0:1]",
                           "[::ffff:7f00:1]",
                           "[::ffff:127.0.0.1]",
                           "[::127.0.0.1]",
                           "[::FFFF:A9FE:A9FE]",
                           "[0000:0000:0000:0000:0000:ffff:a9fe:a9fe]",
                           "[64:ff9b::127.0.0.1]",
                           "[64:ff9b::a9fe:a9fe]",
                           "[64:ff9b:1::a00:1]",
                           "[2002:7f00:1::]",
                           "[2002:a9fe:a9fe::1]",
                           "[2001:0:a00:1::1]",
                           "[2001:0:4136:e378:8000:63bf:5601:5601]",
                           "[fd00:ec2::254]",
                           "[fe80::1]",
                           "[fec0::1]",
                           "[ff02::1]",
                           "localhost",
                           "LOCALHOST",
                           "localhost.",
                           "LocalHost.",
                           "a.localhost",
                           "a.b.localhost.",
                           "metadata.google.internal",
                           "metadata.google.internal.",
                           "internal",
                           "printer.local",
                           "Printer.LOCAL.",
                           "router.home.arpa",
                           "x.onion",
                           "localhost.localdomain"}) {
    CAPTURE(host);
    CHECK(verdict("https://" + std::string(host) + "/") == Errc::denied);
  }
  CHECK_FALSE(verdict("https://notlocalhost.example/"));
  CHECK_FALSE(verdict("https://localhost.example.com/"));
  CHECK_FALSE(verdict("https://mylocal.example.internal.com/"));
}

TEST_CASE("url_port_must_be_on_the_list_unless_any_is_allowed", "[outbound]") {
  OutboundOptions options;
  CHECK_FALSE(verdict("https://example.com:443/", options));
  CHECK_FALSE(verdict("https://example.com:8443/", options));
  for (const char* port : {"1", "22", "25", "80", "442", "444", "6379", "8442", "8444", "65535"}) {
    CAPTURE(port);
    CHECK(verdict("https://example.com:" + std::string(port) + "/", options) == Errc::denied);
  }
  options.ports = {9000};
  CHECK(verdict("https://example.com/", options) == Errc::denied);
  CHECK_FALSE(verdict("https://example.com:9000/", options));
  options.any_port = true;
  CHECK_FALSE(verdict("https://example.com:1/", options));
  CHECK_FALSE(verdict("https://example.com:65535/", options));
  CHECK(verdict("https://example.com:0/", options) == Errc::invalid);
}

TEST_CASE("url_http_needs_its_option", "[outbound]") {
  CHECK(verdict("http://127.0.0.1/") == Errc::invalid);
  const auto url = check_url("http://127.0.0.1/x", testing());
  REQUIRE(url);
  CHECK(url->port == 80);
  CHECK(url->scheme == Scheme::http);
  CHECK(url->text() == "http://127.0.0.1/x");
  CHECK(verdict("ftp://127.0.0.1/", testing()) == Errc::invalid);
}

TEST_CASE("url_lengths_at_below_and_above_the_limits", "[outbound]") {
  const std::string base = "https://example.com/";
  CHECK_FALSE(verdict(base + std::string(kMaxUrl - base.size() - 1, 'a')));
  CHECK_FALSE(verdict(base + std::string(kMaxUrl - base.size(), 'a')));
  CHECK(verdict(base + std::string(kMaxUrl - base.size() + 1, 'a')) == Errc::invalid);
  const auto label = [](std::size_t size) { return std::string(size, 'a'); };
  CHECK_FALSE(verdict("https://" + label(62) + ".example/"));
  CHECK_FALSE(verdict("https://" + label(63) + ".example/"));
  CHECK(verdict("https://" + label(64) + ".example/") == Errc::invalid);
  // 3 labels of 63 and their dots are 192 of the 253.
  const std::string long_name = label(63) + "." + label(63) + "." + label(63) + ".";
  CHECK_FALSE(verdict("https://" + long_name + label(60) + "/"));
  CHECK_FALSE(verdict("https://" + long_name + label(61) + "/"));
  CHECK_FALSE(verdict("https://" + long_name + label(61) + "./"));
  CHECK(verdict("https://" + long_name + label(62) + "/") == Errc::invalid);
}

TEST_CASE("url_errors_do_not_repeat_the_url", "[outbound]") {
  for (const char* text :
       {"https://user:s3cret@example.com/", "https://example.com:99/s3cret",
        "https://127.0.0.1/s3cret", "https://localhost/s3cret", "https://1.2/s3cret",
        "http://example.com/s3cret", "https://example.com/s3cret\\"}) {
    CAPTURE(text);
    const auto url = check_url(text, {});
    REQUIRE_FALSE(url);
    CHECK(url.error().message.find("s3cret") == std::string::npos);
  }
}

// RFC 3986 §5.4.1 and §5.4.2, with a base that https has.
TEST_CASE("redirect_location_is_resolved_as_the_standard_says", "[outbound]") {
  const std::pair<const char*, const char*> rows[] = {
      {"https://g.example/x", "https://g.example/x"},
      {"g", "https://a.example/b/c/g"},
      {"./g", "https://a.example/b/c/g"},
      {"g/", "https://a.example/b/c/g/"},
      {"/g", "https://a.example/g"},
      {"//g.example", "https://g.example/"},
      {"?y", "https://a.example/b/c/d;p?y"},
      {"g?y", "https://a.example/b/c/g?y"},
      {"#s", "https://a.example/b/c/d;p?q"},
      {"g#s", "https://a.example/b/c/g"},
      {"g?y#s", "https://a.example/b/c/g?y"},
      {";x", "https://a.example/b/c/;x"},
      {"", "https://a.example/b/c/d;p?q"},
      {".", "https://a.example/b/c/"},
      {"./", "https://a.example/b/c/"},
      {"..", "https://a.example/b/"},
      {"../", "https://a.example/b/"},
      {"../g", "https://a.example/b/g"},
      {"../..", "https://a.example/"},
      {"../../", "https://a.example/"},
      {"../../g", "https://a.example/g"},
      {"../../../g", "https://a.example/g"},
      {"../../../../g", "https://a.example/g"},
      {"/./g", "https://a.example/g"},
      {"/../g", "https://a.example/g"},
      {"g.", "https://a.example/b/c/g."},
      {".g", "https://a.example/b/c/.g"},
      {"g..", "https://a.example/b/c/g.."},
      {"..g", "https://a.example/b/c/..g"},
      {"./../g", "https://a.example/b/g"},
      {"./g/.", "https://a.example/b/c/g/"},
      {"g/./h", "https://a.example/b/c/g/h"},
      {"g/../h", "https://a.example/b/c/h"},
      {"g;x=1/./y", "https://a.example/b/c/g;x=1/y"},
      {"g;x=1/../y", "https://a.example/b/c/y"},
      {"g?y/./x", "https://a.example/b/c/g?y/./x"},
      {"g?y/../x", "https://a.example/b/c/g?y/../x"},
      {"g#s/../x", "https://a.example/b/c/g"},
  };
  for (const auto& [to, wanted] : rows) {
    CAPTURE(to);
    CHECK(location("https://a.example/b/c/d;p?q", to) == wanted);
  }
  CHECK(location("https://a.example:8443", "x") == "https://a.example:8443/x");
}

TEST_CASE("redirect_to_a_refused_url_is_refused", "[outbound]") {
  for (const char* to : {"https://127.0.0.1/",
                         "//127.0.0.1/",
                         "//2130706433/",
                         "https://localhost/",
                         "//[::1]/",
                         "http://a.example/",
                         "https://a.example:22/",
                         "//user@a.example/",
                         "//a.example:80/",
                         "/\\evil.example",
                         "\\\\evil.example",
                         "/%00",
                         "/a b",
                         "/\xc3\xbc",
                         "javascript:alert(1)",
                         "file:///etc/passwd",
                         "https:evil",
                         "/a\r\nX: y",
                         "//",
                         "///evil.example/",
                         "://",
                         "a:b"}) {
    CAPTURE(to);
    CHECK(location("https://a.example/b/c", to) == "refused");
  }
}

TEST_CASE("redirect_from_https_to_http_is_denied_even_in_tests", "[outbound]") {
  const auto options = testing();
  const auto secure = check_url("https://127.0.0.1/", options).value();
  const auto plain = check_url("http://127.0.0.1/", options).value();
  CHECK(check_redirect(secure, "http://127.0.0.1/", options).error().code == Errc::denied);
  CHECK(check_redirect(plain, "http://127.0.0.1/x", options));
  CHECK(check_redirect(plain, "https://127.0.0.1/", options));
}

TEST_CASE("redirect_location_above_the_length_limit_is_refused", "[outbound]") {
  const auto base = check_url("https://a.example/", {}).value();
  const std::size_t room = kMaxUrl - std::string("https://a.example").size();
  CHECK(check_redirect(base, "/" + std::string(room - 1, 'x'), {}));
  CHECK_FALSE(check_redirect(base, "/" + std::string(room, 'x'), {}));
  CHECK_FALSE(check_redirect(base, std::string(kMaxUrl + 1, 'x'), {}));
}

TEST_CASE("host_pattern_matches_exactly_or_below", "[outbound]") {
  const auto matches = [](const char* host, const char* pattern) {
    return matches_host(check_url("https://" + std::string(host) + "/", {}).value(), {pattern});
  };
  CHECK(matches("example.com", "example.com"));
  CHECK(matches("EXAMPLE.com.", "Example.COM"));
  CHECK(matches("a.example.com", "*.example.com"));
  CHECK(matches("a.b.example.com", "*.EXAMPLE.com"));
  CHECK(matches("8.8.8.8", "8.8.8.8"));
  CHECK(matches("[2606:4700:4700::1111]", "2606:4700:4700::1111"));
  CHECK_FALSE(matches("example.com", "*.example.com"));
  CHECK_FALSE(matches("a.example.com", "example.com"));
  CHECK_FALSE(matches("notexample.com", "example.com"));
  CHECK_FALSE(matches("notexample.com", "*.example.com"));
  CHECK_FALSE(matches("example.com.evil.example", "example.com"));
  CHECK_FALSE(matches("example.com", "*"));
  CHECK_FALSE(matches("example.com", "*.com."));
  CHECK_FALSE(matches("8.8.8.8", "*.8.8.8"));
  CHECK_FALSE(matches("8.8.8.8", "8.8.8.9"));
  CHECK_FALSE(matches_host(check_url("https://example.com/", {}).value(), {}));
  for (const char* wrong : {"", "*", "*.", "*.com", "com", "a.*.com", "*a.com", "*.*.com", "a..b",
                            ".a.b", "a.b.", "*.8.8.8", "https://a.b", "a.b:443", "1.2", "a_b.c"}) {
    CAPTURE(wrong);
    CHECK_FALSE(is_host_pattern(wrong));
  }
}

TEST_CASE("hosts_are_allowed_by_the_list_or_where_there_is_none", "[outbound]") {
  using Hosts = std::vector<std::string>;
  const auto url = check_url("https://a.example.com/", {}).value();
  CHECK(check_allowed(url, std::nullopt));
  CHECK(check_allowed(url, Hosts{"b.example.com", "*.example.com"}));
  for (const auto& hosts : {Hosts{}, Hosts{"b.example.com"}, Hosts{"*.a.example.com"}}) {
    const auto refused = check_allowed(url, hosts);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::denied);
  }
}

TEST_CASE("proxy_text_is_host_and_port", "[outbound]") {
  const auto named = parse_outbound_proxy("proxy.example.net:3128").value();
  CHECK(named.host == "proxy.example.net");
  CHECK(named.port == 3128);
  CHECK(parse_outbound_proxy("10.0.0.1:65535").value().host == "10.0.0.1");
  CHECK(parse_outbound_proxy("[2001:db8::1]:3128").value().host == "2001:db8::1");
  CHECK(parse_outbound_proxy("squid:3128"));
  for (const char* wrong :
       {"", ":", "host", "host:", ":3128", "host:0", "host:65536", "host:x", "host:+1",
        "2001:db8::1:3128", "[10.0.0.1]:1", "[::1:1", "http://h:1", "u@h:1", "h h:1", "1.2:1"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_outbound_proxy(wrong));
  }
}
