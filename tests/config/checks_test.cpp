// Texts that settings hold.
#include "config/checks.hpp"

#include <catch2/catch.hpp>

using namespace postern::config;

TEST_CASE("proxy_is_an_http_origin_with_a_port", "[config]") {
  for (const char* good : {"", "http://proxy.example.net:3128", "http://192.0.2.1:1",
                           "http://[2001:db8::1]:65535", "http://proxy:8080"}) {
    CAPTURE(good);
    CHECK(is_proxy(good));
  }
  for (const char* bad :
       {"proxy.example.net:3128", "http://proxy.example.net", "https://proxy.example.net:1",
        "http://proxy.example.net:0", "http://u:p@proxy.example.net:1",
        "http://proxy.example.net:3128/", "http://:3128", "http://"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_proxy(bad));
  }
}

TEST_CASE("private_network_lies_in_a_private_range", "[config]") {
  for (const char* good : {"10.1.2.0/24", "192.168.0.0/16", "100.64.0.0/10", "fd12:3456::/32"}) {
    INFO(good);
    CHECK(is_private_network(good));
  }
  for (const char* bad : {"", "10.1.2.3/24", "10.1.2.0", "8.8.8.0/24", "0.0.0.0/0", "127.0.0.0/8",
                          "169.254.0.0/16", "10.0.0.0/7", "::/0", "fe80::/10"}) {
    INFO(bad);
    CHECK_FALSE(is_private_network(bad));
  }
}
