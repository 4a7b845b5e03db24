#include <catch2/catch.hpp>
#include <string>

#include "smtp/protocol/reply.hpp"

using namespace postern::smtp;

namespace {
std::string render(const Reply& reply) {
  std::string out;
  append_reply(out, reply);
  return out;
}
}  // namespace

TEST_CASE("reply_single_line_with_and_without_status") {
  CHECK(render({250, {2, 1, 0}, "Sender ok"}) == "250 2.1.0 Sender ok\r\n");
  CHECK(render({354, {}, "Go"}) == "354 Go\r\n");
}

TEST_CASE("reply_lines_each_carry_code_and_status") {
  CHECK(render({214, {2, 0, 0}, "a\nb\nc"}) == "214-2.0.0 a\r\n214-2.0.0 b\r\n214 2.0.0 c\r\n");
  CHECK(render({250, {}, "a\n"}) == "250-a\r\n250 \r\n");
}

TEST_CASE("reply_text_cannot_forge_a_line") {
  CHECK(render({550, {5, 1, 1}, "no\r\x01\x7F\xC3\xA9"}) == "550 5.1.1 no?????\r\n");
}

TEST_CASE("reply_line_is_cut_at_512_octets") {
  CHECK(render({250, {}, std::string(506, 'x')}).size() == 512);
  CHECK(render({250, {}, std::string(507, 'x')}).size() == 512);
  CHECK(render({250, {}, std::string(505, 'x')}).size() == 511);
}

TEST_CASE("reply_cause_is_not_rendered") {
  CHECK(render({451, {4, 3, 0}, "Try later", "database is locked", Blame::server}) ==
        "451 4.3.0 Try later\r\n");
}
