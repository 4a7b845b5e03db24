#include "core/log.hpp"

#include <boost/json.hpp>
#include <catch2/catch.hpp>
#include <filesystem>
#include <limits>
#include <thread>
#include <vector>

#include "core/log_line.hpp"
#include "tests/support/temp_directory.hpp"

namespace {
using namespace postern;
using log::Field;
using log::Format;
using log::Level;

const auto kTime =
    std::chrono::system_clock::from_time_t(1'767'225'600) + std::chrono::milliseconds(7);

std::string text(std::initializer_list<Field> fields) {
  return log::make_line(Format::text, kTime, Level::info, "event", fields);
}

boost::json::object json(std::initializer_list<Field> fields) {
  return boost::json::parse(log::make_line(Format::json, kTime, Level::warn, "event", fields))
      .as_object();
}

// Leaves the log as other tests expect it, whatever happens.
struct LogTo {
  LogTo(Level level, Format format, const std::string& path) {
    log::configure(level, format, path);
  }
  ~LogTo() { log::configure(Level::info, Format::text, ""); }
};
}  // namespace

TEST_CASE("log_text_line_has_time_level_event_fields") {
  CHECK(text({}) == "2026-01-01T00:00:00.007Z INFO event");
  CHECK(text({{"n", 5}, {"ok", true}, {"who", "a@b.example"}}) ==
        "2026-01-01T00:00:00.007Z INFO event n=5 ok=true who=a@b.example");
}

TEST_CASE("log_text_line_quotes_and_escapes") {
  const std::string prefix = "2026-01-01T00:00:00.007Z INFO event v=";
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", R"("")"},
      {"two words", R"("two words")"},
      {"a=b", R"("a=b")"},
      {R"(say "hi" \now)", R"("say \"hi\" \\now")"},
      {"line\r\nfeed\t", R"("line\r\nfeed\t")"},
      {std::string("\0\x1b[2J\x7f", 6), R"("\x00\x1b[2J\x7f")"},
      {"gr\xc3\xbc\xc3\x9f", "\"gr\xc3\xbc\xc3\x9f\""},
      {"\xc2\x9b"
       "31m",
       R"("\x9b31m")"},
      {"\xff\xc3", R"("\xff\xc3")"},
      {"\xed\xa0\x80", R"("\xed\xa0\x80")"},
  };
  for (const auto& [value, shown] : cases) {
    CAPTURE(shown);
    CHECK(text({{"v", value}}) == prefix + shown);
  }
}

TEST_CASE("log_json_line_is_one_object") {
  const auto object =
      json({{"n", -5}, {"x", 1.5}, {"ok", false}, {"who", "a \"b\"\n"}, {"c", 'x'}});
  CHECK(object.at("time").as_string() == "2026-01-01T00:00:00.007Z");
  CHECK(object.at("level").as_string() == "warn");
  CHECK(object.at("event").as_string() == "event");
  CHECK(object.at("n").as_int64() == -5);
  CHECK(object.at("x").as_double() == 1.5);
  CHECK(object.at("ok").as_bool() == false);
  CHECK(object.at("who").as_string() == "a \"b\"\n");
  CHECK(object.at("c").as_string() == "x");
}

TEST_CASE("log_json_line_is_valid_for_any_bytes") {
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  CHECK(json({{"v", all}}).at("v").is_string());
  CHECK(json({{"v", std::numeric_limits<double>::quiet_NaN()}}).at("v").as_string() == "nan");
  CHECK(json({{"v", -std::numeric_limits<double>::infinity()}}).at("v").as_string() == "-inf");
}

TEST_CASE("log_value_is_cut_above_its_limit") {
  CHECK(text({{"v", std::string(log::kMaxValue, 'x')}}).find("...") == std::string::npos);
  const auto line = text({{"v", std::string(log::kMaxValue + 1, 'x')}});
  CHECK(line.ends_with("x...\""));
  CHECK(line.size() < log::kMaxValue + 100);
}

TEST_CASE("log_level_filters_and_configure_reopens") {
  const test::TempDirectory directory;
  const LogTo to(Level::info, Format::text, directory.file("log"));
  CHECK_FALSE(log::enabled(Level::debug));
  log::debug("unseen");
  log::info("first");
  std::filesystem::rename(directory.file("log"), directory.file("log.1"));
  log::configure(Level::warn, Format::json, directory.file("log"));
  log::info("unseen");
  log::warn("second", {{"n", 2}});
  CHECK(directory.read("log.1").ends_with(" INFO first\n"));
  CHECK(directory.read("log.1").find("unseen") == std::string::npos);
  CHECK(boost::json::parse(directory.read("log")).at("event").as_string() == "second");
}

TEST_CASE("log_file_that_cannot_be_opened_throws_and_changes_nothing") {
  const test::TempDirectory directory;
  const LogTo to(Level::info, Format::text, directory.file("log"));
  directory.write("file", "");
  const auto refused = log::configure(Level::info, Format::text, directory.file("file/log"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::io);
  log::info("still here");
  CHECK(directory.read("log").ends_with("INFO still here\n"));
}

TEST_CASE("log_lines_of_threads_stay_whole") {
  const test::TempDirectory directory;
  const LogTo to(Level::info, Format::json, directory.file("log"));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i < 100; ++i) log::info("tick", {{"thread", t}, {"i", i}});
    });
  }
  for (auto& thread : threads) thread.join();
  std::istringstream lines(directory.read("log"));
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    CHECK(boost::json::parse(line).at("event").as_string() == "tick");
  }
  CHECK(count == 400);
}
