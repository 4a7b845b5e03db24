#include "config/loader.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "config/render.hpp"
#include "config/table.hpp"
#include "config/units.hpp"

using namespace postern;
using namespace postern::config;
using Catch::Matchers::Contains;

namespace {

constexpr std::string_view kBase = "hostname = \"mail.example.com\"\ndata = \"/srv/postern\"\n";

Result<Settings> load(std::string_view more) {
  return load_text(std::string(kBase) + std::string(more), "/etc/postern/postern.toml");
}

std::string complaint(std::string_view more) {
  const auto result = load(more);
  if (result) return "accepted";
  CHECK(result.error().code == Errc::invalid);
  return result.error().message;
}

/// The setting with one value, wherever it stands.
std::string line_for(std::string_view name, std::string_view value) {
  return fmt::format("{} = {}\n", name, value);
}

bool complains_of_range(const std::string& text) {
  return text.find("between") != std::string::npos || text.find(" like ") != std::string::npos;
}

}  // namespace

TEST_CASE("minimal_file_gives_the_defaults") {
  const auto settings = load("");
  REQUIRE(settings);
  CHECK(settings->hostname == "mail.example.com");
  CHECK(settings->data == "/srv/postern");
  CHECK(settings->admin.socket == "/srv/postern/postern.sock");
  CHECK(settings->tls.certificate == "/srv/postern/tls/certificate.pem");
  CHECK(settings->storage.master_key == "/srv/postern/master.key");
  CHECK(settings->log.file.empty());
  CHECK(settings->delivery.port == 25);
  CHECK(settings->delivery.expiry == std::chrono::hours(120));
  CHECK(settings->limits.message_size.bytes == 26214400);
  CHECK_FALSE(settings->plaintext_login);
  CHECK(settings->delivery.alignment == Alignment::warn);
}

TEST_CASE("design_example_loads") {
  const auto settings = load(R"(
plaintext_login = true
listen = []
[dns]
servers = ["127.0.0.1:5353", "[::1]:53", "9.9.9.9"]
[delivery]
port = 2525
alignment = "enforce"
retry = ["1s", "1m30s"]
[[delivery.route]]
domain = "remote.test"
host = "127.0.0.1"
port = 2626
[tls]
certificate = "cert.pem"
key = "/keys/key.pem"
[log]
level = "debug"
format = "json"
file = "postern.log"
)");
  REQUIRE(settings);
  CHECK(settings->dns.servers.size() == 3);
  CHECK(settings->delivery.retry ==
        std::vector<Duration>{std::chrono::seconds(1), std::chrono::seconds(90)});
  REQUIRE(settings->delivery.route.size() == 1);
  CHECK(settings->delivery.route[0] == Route{"remote.test", "127.0.0.1", 2626});
  CHECK(settings->tls.certificate == "/etc/postern/cert.pem");
  CHECK(settings->tls.key == "/keys/key.pem");
  CHECK(settings->log.file == "/etc/postern/postern.log");
  CHECK(settings->log.level == LogLevel::debug);
}

TEST_CASE("listeners_of_every_kind_load") {
  const char* kinds[] = {"mx",    "submission", "submissions", "imap",
                         "imaps", "http",       "https",       "metrics"};
  int port = 2000;
  for (const auto* kind : kinds) {
    const auto settings =
        load(fmt::format("[[listen]]\nkind = \"{}\"\naddress = \"[::1]:{}\"\n", kind, ++port));
    REQUIRE(settings);
    REQUIRE(settings->listen.size() == 1);
    CHECK(to_string(settings->listen[0].kind) == kind);
    CHECK(settings->listen[0].address == fmt::format("[::1]:{}", port));
  }
}

TEST_CASE("bad_setting_is_named_with_file_and_line") {
  CHECK(complaint("[delivery]\nport = 0\n") ==
        "postern.toml:4: delivery.port: expected an integer between 1 and 65535");
  CHECK(complaint("[delivery]\n\nport = \"25\"\n") ==
        "postern.toml:5: delivery.port: expected an integer between 1 and 65535");
}

TEST_CASE("every_bound_is_kept_at_below_and_above") {
  for (const auto& field : settings_table()) {
    INFO(field.name);
    const auto check = [&](Bounds bounds, auto render) {
      CHECK_FALSE(complains_of_range(complaint(line_for(field.name, render(bounds.low)))));
      CHECK_FALSE(complains_of_range(complaint(line_for(field.name, render(bounds.high)))));
      CHECK_THAT(complaint(line_for(field.name, render(bounds.high + 1))),
                 Contains(fmt::format("postern.toml:3: {}: expected", field.name)));
      if (bounds.low > 0) {
        CHECK_THAT(complaint(line_for(field.name, render(bounds.low - 1))),
                   Contains(fmt::format("postern.toml:3: {}: expected", field.name)));
      }
    };
    const auto time = [](std::int64_t v) {
      return fmt::format("\"{}\"", format_duration(Duration{v}));
    };
    if (const auto* integer = std::get_if<IntegerKind<Settings>>(&field.kind)) {
      check(integer->bounds, [](std::int64_t v) { return fmt::format("{}", v); });
      CHECK_THAT(complaint(line_for(field.name, "-1")), Contains("expected an integer"));
    } else if (const auto* duration = std::get_if<DurationKind<Settings>>(&field.kind)) {
      check(duration->bounds, time);
    } else if (const auto* size = std::get_if<SizeKind<Settings>>(&field.kind)) {
      check(size->bounds, [](std::int64_t v) {
        return fmt::format("\"{}\"", format_size({static_cast<std::uint64_t>(v)}));
      });
    } else if (const auto* list = std::get_if<DurationsKind<Settings>>(&field.kind)) {
      check(list->bounds, [&](std::int64_t v) { return "[" + time(v) + "]"; });
    }
  }
}

TEST_CASE("every_setting_refuses_a_value_of_another_type") {
  for (const auto& field : settings_table()) {
    if (field.name == "hostname" || field.name == "data")
      continue;  // they stand in the base already
    INFO(field.name);
    for (const std::string_view value : {"1979-05-27", "{ a = 1 }", "1.5", "[[1]]"}) {
      CHECK_THAT(complaint(line_for(field.name, value)),
                 Contains(fmt::format("postern.toml:3: {}", field.name)));
    }
    const bool flag = std::holds_alternative<BoolKind<Settings>>(field.kind);
    CHECK_THAT(complaint(line_for(field.name, flag ? "1" : "true")),
               Contains(fmt::format("postern.toml:3: {}: expected", field.name)));
  }
}

TEST_CASE("default_of_every_setting_is_within_its_own_bounds") {
  for (const auto& field : settings_table()) {
    if (std::holds_alternative<PathKind<Settings>>(field.kind) || field.name == "hostname")
      continue;
    INFO(field.name);
    CHECK(complaint(line_for(field.name, render_value(field, Settings{}))) == "accepted");
  }
}

TEST_CASE("unknown_setting_is_refused_with_the_nearest_name") {
  CHECK(complaint("[delivery]\nprot = 25\n") ==
        "postern.toml:4: delivery.prot: no such setting; did you mean delivery.port?");
  CHECK_THAT(complaint("hostnme = \"x\"\n"),
             Contains("hostnme: no such setting; did you mean hostname?"));
  CHECK_THAT(complaint("message_size = \"1MiB\"\n"), Contains("did you mean limits.message_size?"));
  CHECK(complaint("zzz = 1\n") == "postern.toml:3: zzz: no such setting");
  CHECK_THAT(complaint("[delivry]\nport = 25\n"),
             Contains("postern.toml:3: delivry: no such setting"));
  CHECK_THAT(complaint("[[listen]]\nkind = \"mx\"\naddress = \"127.0.0.1:25\"\ntls = true\n"),
             Contains("postern.toml:6: listen.tls: no such setting"));
  CHECK_THAT(complaint("[[delivery.route]]\ndomain = \"a.test\"\nhots = \"b.test\"\n"),
             Contains("delivery.route.hots: no such setting; did you mean delivery.route.host?"));
}

TEST_CASE("required_setting_that_is_missing_is_named") {
  const auto none = load_text("", "postern.toml");
  REQUIRE_FALSE(none);
  CHECK_THAT(none.error().message, Contains("postern.toml:1: hostname: this setting is required"));
  CHECK_THAT(none.error().message, Contains("postern.toml:1: data: this setting is required"));
  CHECK_THAT(complaint("[[listen]]\nkind = \"mx\"\n"),
             Contains("postern.toml:3: listen.address: this setting is required"));
  CHECK_THAT(complaint("[[delivery.route]]\nport = 1\n"), Contains("delivery.route.domain"));
}

TEST_CASE("duplicate_setting_is_refused_with_its_line") {
  CHECK_THAT(complaint("plaintext_login = false\nplaintext_login = false\n"),
             Contains("postern.toml:4: ") && Contains("plaintext_login"));
  CHECK_THAT(complaint("[dns]\ntries = 1\n[dns]\ntries = 2\n"), Contains("postern.toml:5"));
}

TEST_CASE("broken_toml_is_refused_with_its_line") {
  CHECK_THAT(complaint("[dns\n"), Contains("postern.toml:3: "));
  CHECK_THAT(complaint("x = \"\n"), Contains("postern.toml:3: "));
}

TEST_CASE("section_given_as_a_value_is_refused") {
  CHECK(complaint("delivery = 3\n") == "postern.toml:3: delivery: expected a section [delivery]");
  CHECK(complaint("[listen]\nkind = \"mx\"\n") ==
        "postern.toml:3: listen: expected [[listen]] sections");
  CHECK_THAT(complaint("listen = [1, 2]\n"), Contains("expected [[listen]] sections"));
}

TEST_CASE("bad_listener_addresses_are_refused") {
  for (const std::string_view address :
       {"", "25", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "::1:25", "[127.0.0.1]:25", "[::1]",
        "localhost:25", "127.0.0.1:25x", "127.0.0.1:-1", "[::1:25", "127.0.0:25"}) {
    INFO(address);
    CHECK_THAT(complaint(fmt::format("[[listen]]\nkind = \"mx\"\naddress = \"{}\"\n", address)),
               Contains("postern.toml:5: listen.address: expected an address and port"));
  }
  CHECK_THAT(complaint("[[listen]]\nkind = \"pop3\"\naddress = \"127.0.0.1:110\"\n"),
             Contains("postern.toml:4: listen.kind: expected one of \"mx\", \"submission\""));
}

TEST_CASE("bad_host_names_are_refused") {
  for (const std::string_view name : {"", "mail", "-a.test", "a..b", "a.test.", "a_b.test",
                                      "mail example.com", "127.0.0.1", "bücher.example"}) {
    INFO(name);
    const auto result =
        load_text(fmt::format("hostname = \"{}\"\ndata = \"/d\"\n", name), "postern.toml");
    REQUIRE_FALSE(result);
    CHECK_THAT(result.error().message, Contains("postern.toml:1: hostname: expected a host name"));
  }
}

TEST_CASE("plaintext_login_is_accepted_on_loopback_listeners_only") {
  const auto text = [](std::string_view kind, std::string_view address) {
    return fmt::format("plaintext_login = true\n[[listen]]\nkind = \"{}\"\naddress = \"{}\"\n",
                       kind, address);
  };
  for (const std::string_view kind : {"submission", "imap", "http"}) {
    CHECK(complaint(text(kind, "127.0.0.1:2000")) == "accepted");
    CHECK(complaint(text(kind, "127.8.8.8:2000")) == "accepted");
    CHECK(complaint(text(kind, "[::1]:2000")) == "accepted");
    for (const std::string_view address : {"0.0.0.0:2000", "[::]:2000", "192.0.2.1:2000"}) {
      CHECK_THAT(
          complaint(text(kind, address)),
          Contains("postern.toml:3: plaintext_login: true is accepted on loopback listeners only"));
    }
  }
  CHECK(complaint(text("mx", "0.0.0.0:25")) == "accepted");
  CHECK(complaint(text("imaps", "0.0.0.0:993")) == "accepted");
}

TEST_CASE("settings_that_contradict_one_another_are_refused") {
  CHECK_THAT(complaint("[tls]\nkey = \"k.pem\"\n"), Contains("postern.toml:4: tls.key: "));
  CHECK_THAT(complaint("[delivery]\nexpiry = \"1h\"\ndelay_warning = \"1h\"\n"),
             Contains("postern.toml:5: delivery.delay_warning: "));
  CHECK_THAT(complaint("[auth]\nmemory = \"8MiB\"\n"), Contains("auth.argon2_memory: "));
  CHECK_THAT(complaint("[auth]\nargon2_memory = \"8KiB\"\nargon2_parallelism = 2\n"),
             Contains("postern.toml:4: auth.argon2_memory: expected at least 8KiB for each lane"));
  CHECK(complaint("[domains]\ncheck_every = \"10m\"\n") == "accepted");
  CHECK_THAT(complaint("[domains]\ncheck_every = \"9m\"\n"), Contains("domains.recheck_after: "));
  CHECK_THAT(complaint("[[listen]]\nkind = \"mx\"\naddress = \"127.0.0.1:25\"\n"
                       "[[listen]]\nkind = \"imap\"\naddress = \"127.0.0.1:25\"\n"),
             Contains("postern.toml:8: listen.address: 127.0.0.1:25 is listed twice"));
  CHECK_THAT(complaint("[[delivery.route]]\ndomain = \"a.test\"\nhost = \"b\"\n"
                       "[[delivery.route]]\ndomain = \"a.test\"\nhost = \"c\"\n"),
             Contains("a.test is routed twice"));
}

TEST_CASE("many_mistakes_are_reported_together_up_to_the_limit") {
  std::string text;
  for (std::size_t i = 0; i < kMaxComplaints + 5; ++i) text += fmt::format("zz{}qq = 1\n", i);
  const auto message = complaint(text);
  CHECK(static_cast<std::size_t>(std::ranges::count(message, '\n')) == kMaxComplaints);
  CHECK_THAT(message, Contains("and 5 more"));
}

TEST_CASE("file_that_is_missing_is_not_found") {
  const auto result = load_file("/nonexistent/postern.toml");
  REQUIRE_FALSE(result);
  CHECK(result.error().code == Errc::not_found);
  CHECK_THAT(result.error().message, Contains("/nonexistent/postern.toml"));
}

TEST_CASE("file_is_loaded_and_its_directory_is_the_base_of_paths") {
  char name[] = "/tmp/postern-config-XXXXXX";
  REQUIRE(::mkdtemp(name) != nullptr);
  const std::filesystem::path directory = name;
  std::ofstream(directory / "postern.toml") << "hostname = \"a.test\"\ndata = \".\"\n";
  const auto settings = load_file(directory / "postern.toml");
  REQUIRE(settings);
  CHECK(settings->admin.socket == directory / "postern.sock");
  std::ofstream(directory / "big.toml") << std::string(kMaxSettingsFile + 1, '#');
  const auto big = load_file(directory / "big.toml");
  REQUIRE_FALSE(big);
  CHECK(big.error().code == Errc::too_large);
  std::filesystem::remove_all(directory);
}
