#include "smtp/server/line_decoder.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using namespace postern::smtp;

namespace {

constexpr std::size_t kLimit = 20;

// Every line as "line:TEXT" or "fault:KIND", fed `slice` octets at a time.
std::vector<std::string> decode(std::string_view input, std::size_t slice) {
  LineDecoder decoder;
  std::string buffer;
  std::vector<std::string> seen;
  while (!input.empty()) {
    buffer += input.substr(0, slice);
    input.remove_prefix(std::min(slice, input.size()));
    for (;;) {
      if (buffer.empty()) break;
      const auto result = decoder.next(buffer, kLimit);
      if (result.status == LineDecoder::Status::line)
        seen.push_back("line:" + std::string(result.text));
      if (result.status == LineDecoder::Status::fault)
        seen.push_back("fault:" + std::string(to_string(result.fault)));
      buffer.erase(0, result.consumed);
      if (result.status == LineDecoder::Status::need_more && result.consumed == 0) break;
    }
  }
  if (!buffer.empty()) seen.push_back("rest:" + buffer);
  return seen;
}

using Lines = std::vector<std::string>;

struct Row {
  std::string input;
  Lines lines;
};

}  // namespace

TEST_CASE("command_lines_end_with_crlf_alone_however_sliced") {
  const std::string nul("NO\0OP\r\nRSET\r\n", 13);
  const std::vector<Row> table = {
      {"NOOP\r\n", {"line:NOOP"}},
      {"\r\n", {"line:"}},
      {"A\r\nB\r\n", {"line:A", "line:B"}},
      {"NOOP\n", {"fault:bare LF"}},
      {"NOOP\nQUIT\r\nRSET\r\n", {"fault:bare LF", "line:RSET"}},
      {"NOOP\rQUIT\r\nRSET\r\n", {"fault:bare CR", "line:RSET"}},
      {"NOOP\r\r\nRSET\r\n", {"fault:bare CR", "line:RSET"}},
      {"NOOP\r\rRSET\r\nA\r\n", {"fault:bare CR", "line:A"}},
      {"\nA\r\nB\r\n", {"fault:bare LF", "line:B"}},
      {"\n\r\nB\r\n", {"fault:bare LF", "line:B"}},
      {"A\n\nB\nC\r\nD\r\n", {"fault:bare LF", "line:D"}},
      {nul, {"fault:NUL", "line:RSET"}},
      {std::string(kLimit, 'x') + "\r\nA\r\n", {"line:" + std::string(kLimit, 'x'), "line:A"}},
      {std::string(kLimit - 1, 'x') + "\r\n", {"line:" + std::string(kLimit - 1, 'x')}},
      {std::string(kLimit + 1, 'x') + "\r\nA\r\n", {"fault:line too long", "line:A"}},
      {std::string(500, 'x') + "\r\nA\r\n", {"fault:line too long", "line:A"}},
      {std::string(kLimit + 5, 'x') + "\nB\rC\r\nA\r\n", {"fault:line too long", "line:A"}},
      {std::string(kLimit, 'x') + "\nQUIT\r\nA\r\n", {"fault:bare LF", "line:A"}},
      {std::string(kLimit, 'x') + "\rQUIT\r\nA\r\n", {"fault:bare CR", "line:A"}},
      {"\xFF\xFE\r\n", {"line:\xFF\xFE"}},
  };
  for (const auto& row : table) {
    for (std::size_t slice = 1; slice <= row.input.size(); ++slice) {
      INFO(row.input << " by " << slice);
      CHECK(decode(row.input, slice) == row.lines);
    }
  }
}

TEST_CASE("command_line_fault_is_told_before_its_line_ends") {
  CHECK(decode("EHLO x\n", 1) == Lines{"fault:bare LF"});
  CHECK(decode(std::string(kLimit + 1, 'x'), 1) == Lines{"fault:line too long"});
}

TEST_CASE("command_line_unfinished_gives_nothing") {
  CHECK(decode("NOOP", 1) == Lines{"rest:NOOP"});
  CHECK(decode("NOOP\r", 1) == Lines{"rest:NOOP\r"});
}
