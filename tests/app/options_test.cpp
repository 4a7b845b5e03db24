// What the parts get of settings that were loaded.
#include "app/server/options.hpp"

#include <catch2/catch.hpp>

using namespace postern;

TEST_CASE("outbound_options_are_what_the_settings_say", "[options]") {
  config::Settings settings;
  CHECK(server::outbound_options(settings).addresses.private_networks.empty());
  CHECK_FALSE(server::outbound_options(settings).proxy);
  settings.outbound.private_networks = {"10.1.0.0/16", "fd00:1::/32"};
  settings.outbound.proxy = "http://proxy.example.net:3128";
  const auto options = server::outbound_options(settings);
  CHECK(options.addresses.private_networks.size() == 2);
  REQUIRE(options.proxy);
  CHECK(options.proxy->host == "proxy.example.net");
  CHECK(options.proxy->port == 3128);
}

// Loading refuses them; going on without them would send requests another way.
TEST_CASE("outbound_options_drop_nothing_that_does_not_parse", "[options]") {
  config::Settings settings;
  SECTION("network") { settings.outbound.private_networks = {"10.1.0.0/16", "8.8.8.0/24"}; }
  SECTION("proxy") { settings.outbound.proxy = "http://proxy.example.net"; }
  CHECK_THROWS(server::outbound_options(settings));
}
