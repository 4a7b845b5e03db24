#include "imap/wire/command_reader.hpp"

#include <catch2/catch.hpp>

using namespace postern::imap;
using Event = CommandReader::Event;

namespace {
constexpr std::size_t kLimit = 100;
constexpr std::uint64_t kDrain = 1000;

// What a session makes of `input`, fed in pieces of `step` bytes, keeping literals that fit and
// refusing others: commands separated by '|', refusals and errors as words.
std::string run(std::string_view input, std::size_t step, std::size_t limit = kLimit) {
  CommandReader reader(limit, kDrain);
  std::string out;
  std::string pending;
  const auto note = [&](std::string_view text) {
    out += (out.empty() ? "" : "|") + std::string(text);
    reader.reset();
  };
  while (!input.empty() || !pending.empty()) {
    pending += input.substr(0, step);
    input.remove_prefix(std::min(step, input.size()));
    while (true) {
      const auto [event, consumed] = reader.consume(pending);
      pending.erase(0, consumed);
      if (event == Event::need_input) break;
      if (event == Event::command) note(reader.text());
      if (event == Event::refused) note("REFUSED");
      if (event == Event::too_long) note("TOO LONG");
      if (event == Event::malformed) note("MALFORMED");
      if (event == Event::hopeless) {
        note("HOPELESS");
        return out;
      }
      if (event != Event::literal) continue;
      if (reader.literal_fits()) {
        reader.keep();
      } else if (!reader.can_drain()) {
        note("HOPELESS");
        return out;
      } else if (!reader.refuse()) {
        note("REFUSED");
      }
    }
    if (input.empty()) break;
  }
  return out;
}

// The same whatever the slices.
std::string run_in_slices(std::string_view input, std::size_t limit = kLimit) {
  const auto whole = run(input, input.size(), limit);
  for (const std::size_t step : {1U, 2U, 3U, 7U}) {
    CAPTURE(step);
    CHECK(run(input, step, limit) == whole);
  }
  return whole;
}
}  // namespace

TEST_CASE("lines_become_commands") {
  CHECK(run_in_slices("a NOOP\r\nb NOOP\r\n") == "a NOOP|b NOOP");
  CHECK(run_in_slices("\r\n") == "");
  CHECK(run_in_slices("a NOOP") == "");
}

TEST_CASE("literals_stay_inside_their_command") {
  CHECK(run_in_slices("a LOGIN {3+}\r\nx y {2+}\r\n\r\n\r\nb NOOP\r\n") ==
        "a LOGIN {3+}\r\nx y {2+}\r\n\r\n|b NOOP");
  CHECK(run_in_slices("a LOGIN {0+}\r\n {0+}\r\n\r\n") == "a LOGIN {0+}\r\n {0+}\r\n");
}

TEST_CASE("literal_content_is_never_taken_for_an_announcement") {
  CHECK(run_in_slices("a X {4+}\r\n{99+\r\nb NOOP\r\n") == "a X {4+}\r\n{99+|b NOOP");
}

TEST_CASE("refused_literal_is_drained_and_its_bytes_never_run") {
  std::string input = "a X {200+}\r\n";
  for (int i = 0; i < 20; ++i) input += "z LOGOUT\r\n";
  input += " tail {12+}\r\ny LOGOUT\r\n\r\n more\r\nb NOOP\r\n";
  CHECK(run_in_slices(input) == "REFUSED|b NOOP");
}

TEST_CASE("refused_synchronizing_literal_ends_the_command_at_once") {
  CHECK(run_in_slices("a X {200}\r\nb NOOP\r\n") == "REFUSED|b NOOP");
  CHECK(run_in_slices("a X {200+}\r\n" + std::string(200, 'x') + " {5}\r\nb NOOP\r\n") ==
        "REFUSED|b NOOP");
}

TEST_CASE("literal_sizes_at_the_limit") {
  // 4 bytes, 5 of "{89+}" and its CRLF.
  const std::string head = "a X ";
  CHECK(run_in_slices(head + "{89+}\r\n" + std::string(89, 'x') + "\r\n").starts_with("a X {89+}"));
  CHECK(run_in_slices(head + "{90+}\r\n" + std::string(90, 'x') + "\r\n") == "REFUSED");
}

TEST_CASE("lines_at_the_limit") {
  CHECK(run_in_slices(std::string(100, 'x') + "\r\nb\r\n") == std::string(100, 'x') + "|b");
  CHECK(run_in_slices(std::string(101, 'x') + "\r\nb\r\n") == "TOO LONG|b");
  CHECK(run_in_slices(std::string(5000, 'x') + "\r\nb\r\n") == "TOO LONG|b");
}

TEST_CASE("too_long_line_that_announces_a_literal_takes_it_along") {
  CHECK(run_in_slices(std::string(150, 'x') + " {10+}\r\nz LOGOUT\r\n\r\nb NOOP\r\n") ==
        "TOO LONG|b NOOP");
}

TEST_CASE("bare_lf_condemns_the_command_but_not_the_next") {
  CHECK(run_in_slices("a NOOP\nb NOOP\r\n") == "MALFORMED|b NOOP");
  CHECK(run_in_slices("a X {5+}\nz BYE\r\nb NOOP\r\n") == "MALFORMED|b NOOP");
  CHECK(run_in_slices("\n") == "MALFORMED");
}

TEST_CASE("more_than_the_drain_limit_is_hopeless") {
  CHECK(run("a X {1001+}\r\n", 100) == "HOPELESS");
  CHECK(run("a X {1000+}\r\n", 100).empty());
  // The budget is one for all literals of a command.
  const auto half = "{600+}\r\n" + std::string(600, 'x');
  CHECK(run("a " + half + " " + half, 100) == "HOPELESS");
  CHECK(run("a " + half + "\r\nb " + half + "\r\n", 100) == "REFUSED|REFUSED");
}

TEST_CASE("endless_line_is_hopeless") {
  CHECK(run(std::string(kMaxDrainedLine + 200, 'x'), 4096) == "HOPELESS");
}

TEST_CASE("taken_literal_is_left_to_the_session") {
  CommandReader reader(kLimit, kDrain);
  auto step = reader.consume("a APPEND x {5}\r\nhello");
  REQUIRE(step.event == Event::literal);
  CHECK(step.consumed == 16);
  CHECK(reader.text() == "a APPEND x {5}");
  reader.take();
  step = reader.consume("\r\n");
  CHECK(step.event == Event::command);
  CHECK(reader.tail().empty());
}
