#include "config/render.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include "config/loader.hpp"
#include "config/table.hpp"

using namespace postern::config;

namespace {

/// The repository: tests run in it (CTest's working directory).
std::filesystem::path docs() {
  auto here = std::filesystem::current_path();
  while (!std::filesystem::exists(here / "docs") && here.has_relative_path())
    here = here.parent_path();
  return here / "docs";
}

std::string slurp(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

Settings sample() {
  auto settings = load_text(R"(
hostname = "mail.example.com"
data = "/srv/\"odd\\name"
[delivery]
retry = ["1s"]
alignment = "off"
[limits]
message_size = "1MiB"
[dns]
servers = ["127.0.0.1:53"]
[[listen]]
kind = "imaps"
address = "[::1]:993"
[[delivery.route]]
domain = "a.test"
host = "127.0.0.1"
)",
                            "/etc/postern.toml");
  REQUIRE(settings);
  return *settings;
}

}  // namespace

TEST_CASE("reference_in_docs_is_what_the_table_says") {
  const auto committed = slurp(docs() / "settings.md");
  const bool current = committed == render_reference();
  INFO("docs/settings.md is out of date: POSTERN_WRITE_DOCS=1 test_config writes it anew");
  if (!current && std::getenv("POSTERN_WRITE_DOCS") != nullptr) {
    std::ofstream(docs() / "settings.md", std::ios::binary) << render_reference();
  } else {
    CHECK(current);
  }
}

TEST_CASE("every_setting_is_in_the_reference_once_with_a_sentence") {
  const auto text = render_reference();
  std::set<std::string> seen;
  for (const auto& name : all_names()) {
    INFO(name);
    CHECK(seen.insert(name).second);
    const auto row = text.find(fmt::format("| `{}` |", name));
    REQUIRE(row != std::string::npos);
    CHECK(text.find(fmt::format("| `{}` |", name), row + 1) == std::string::npos);
  }
  for (const auto& field : settings_table()) {
    INFO(field.name);
    CHECK(field.doc.size() > 10);
    CHECK(field.doc.back() == '.');
    CHECK(field.doc.find('|') == std::string_view::npos);
  }
}

TEST_CASE("settings_that_the_documentation_names_exist") {
  const auto names = all_names();
  std::set<std::string> section_names;
  for (const auto& section : sections()) section_names.emplace(section.name);
  const std::regex mention("`([a-z]+(?:\\.[a-z0-9_]+)+)`");
  for (const auto& entry : std::filesystem::recursive_directory_iterator(docs())) {
    if (entry.path().extension() != ".md") continue;
    const auto text = slurp(entry.path());
    for (std::sregex_iterator it(text.begin(), text.end(), mention), end; it != end; ++it) {
      const auto name = (*it)[1].str();
      const auto head = name.substr(0, name.find('.'));
      if (!section_names.contains(head)) continue;  // a file name or something else with a dot
      // Words with a dot that begin like a section but aren't settings: file names.
      if (name.ends_with(".db") || name.ends_with(".md") || name.ends_with(".hpp") ||
          name.ends_with(".cpp") || name.ends_with(".pem")) {
        continue;
      }
      INFO(entry.path().string() << ": " << name);
      CHECK((std::ranges::find(names, name) != names.end() || section_names.contains(name)));
    }
  }
}

TEST_CASE("written_settings_load_to_the_same") {
  const auto before = sample();
  const auto after = load_text(render_settings(before), "/elsewhere/postern.toml");
  REQUIRE(after);
  const auto diff = compare_settings(before, *after);
  CHECK(diff.reloadable.empty());
  CHECK(diff.restart.empty());
  CHECK(after->data == "/srv/\"odd\\name");
}

TEST_CASE("written_settings_leave_defaults_out") {
  const auto text = render_settings(sample());
  CHECK(text.find("expiry") == std::string::npos);
  CHECK(text.find("socket") == std::string::npos);
  CHECK(text.find("message_size = \"1MiB\"") != std::string::npos);
}

TEST_CASE("comparison_tells_reloadable_from_restart") {
  const auto before = sample();
  auto after = before;
  after.limits.message_size = 2_MiB;
  after.tls.certificate = "/new.pem";
  after.delivery.route.clear();
  after.hostname = "other.example.com";
  after.listen[0].address = "[::1]:994";
  const auto diff = compare_settings(before, after);
  CHECK(diff.reloadable == std::vector<std::string>{"tls.certificate", "limits.message_size"});
  CHECK(diff.restart == std::vector<std::string>{"hostname", "listen", "delivery.route"});
}
