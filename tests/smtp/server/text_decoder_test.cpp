#include "smtp/server/text_decoder.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using namespace postern::smtp;

namespace {

struct Decoded {
  std::string text;
  Fault fault = Fault::none;
  bool ended = false;
  std::string rest;  // what comes after the end: commands
};

Decoded decode_data(std::string input, std::size_t slice, TextLimits limits = {}) {
  TextDecoder decoder(limits);
  Decoded out;
  std::size_t at = 0;
  while (at < input.size() && !out.ended) {
    const std::size_t n = std::min(slice, input.size() - at);
    const auto piece = decoder.next_data({input.data() + at, n});
    out.text += piece.text;
    out.ended = piece.end;
    at += piece.consumed;
    if (!piece.end) REQUIRE(piece.consumed == n);
  }
  out.fault = decoder.fault();
  out.rest = input.substr(at);
  return out;
}

Fault decode_chunks(const std::vector<std::string>& chunks, std::size_t slice, std::string* text) {
  TextDecoder decoder;
  for (std::string chunk : chunks) {
    for (std::size_t at = 0; at < chunk.size(); at += slice) {
      const auto piece =
          decoder.next_chunk({chunk.data() + at, std::min(slice, chunk.size() - at)});
      if (text != nullptr) text->append(piece.text);
    }
  }
  decoder.finish();
  return decoder.fault();
}

struct Good {
  std::string wire;
  std::string text;
};

struct Smuggle {
  std::string wire;
  Fault fault;
};

const std::string kHeader = "Subject: x\r\n\r\n";

}  // namespace

TEST_CASE("data_is_unstuffed_and_ended_however_sliced") {
  const std::vector<Good> table = {
      {".\r\n", ""},
      {"\r\n.\r\n", "\r\n"},
      {"a\r\n.\r\n", "a\r\n"},
      {"..\r\n.\r\n", ".\r\n"},
      {"...\r\n.\r\n", "..\r\n"},
      {".a\r\n.\r\n", "a\r\n"},
      {"a.\r\n.\r\n", "a.\r\n"},
      {"a\r\n..b\r\n..\r\nc\r\n.\r\n", "a\r\n.b\r\n.\r\nc\r\n"},
      {"a\r\n.b\r\n.c\r\nd\r\n.\r\n", "a\r\nb\r\nc\r\nd\r\n"},
      {"H: v\r\n\r\nbody\r\n\r\n\r\n.\r\n", "H: v\r\n\r\nbody\r\n\r\n\r\n"},
      {"\xFF\x01\r\n.\r\n", "\xFF\x01\r\n"},
  };
  for (const auto& row : table) {
    const std::string wire = row.wire + "QUIT\r\n";
    for (std::size_t slice = 1; slice <= wire.size(); ++slice) {
      INFO(row.wire << " by " << slice);
      const Decoded got = decode_data(wire, slice);
      CHECK(got.text == row.text);
      CHECK(got.fault == Fault::none);
      CHECK(got.ended);
      CHECK(got.rest == "QUIT\r\n");
    }
  }
}

TEST_CASE("data_smuggling_neither_ends_nor_passes") {
  // Each pretends to end the message where it doesn't; the second message must never be seen.
  const std::string second = "MAIL FROM:<evil@x>\r\nRCPT TO:<v@y>\r\nDATA\r\nfrom evil\r\n";
  const std::vector<Smuggle> table = {
      {"\n.\n", Fault::bare_lf},       {"\n.\r\n", Fault::bare_lf},
      {"\r\n.\n", Fault::bare_lf},     {"\r.\r\n", Fault::bare_cr},
      {"\r.\r", Fault::bare_cr},       {"\r\n.\r", Fault::bare_cr},
      {"\r\n.\r\r\n", Fault::bare_cr}, {"\r\r\n.\r\r\n", Fault::bare_cr},
      {"\n.\r", Fault::bare_cr},       {"\r.\n", Fault::bare_cr},
      {"\r\n\n.\n", Fault::bare_lf},   {"\n\r.\r\n", Fault::bare_cr},
  };
  for (const auto& row : table) {
    for (const bool in_header : {true, false}) {
      const std::string wire = (in_header ? std::string("Subject: x") : kHeader + "body") +
                               row.wire + second + ".\r\nQUIT\r\n";
      for (std::size_t slice = 1; slice <= wire.size(); ++slice) {
        const Decoded got = decode_data(wire, slice);
        INFO(row.wire << " by " << slice);
        REQUIRE(got.fault == row.fault);
        REQUIRE(got.ended);
        REQUIRE(got.rest == "QUIT\r\n");
      }
    }
  }
}

TEST_CASE("data_bare_cr_or_lf_anywhere_is_a_fault") {
  for (const std::string line : {"a\rb", "a\nb", "\ra", "\na", "a\r", "a\n", "a\r\rb", "a\n\rb"}) {
    for (const std::string& prefix : {std::string(), kHeader}) {
      const std::string wire = prefix + line + "\r\n.\r\n";
      for (std::size_t slice = 1; slice <= wire.size(); ++slice) {
        const Decoded got = decode_data(wire, slice);
        INFO(line << " by " << slice);
        CHECK(got.fault >= Fault::bare_lf);
        CHECK(got.ended);
      }
    }
  }
}

TEST_CASE("data_without_true_end_never_ends") {
  for (const std::string wire : {"a\r\n.", "a\r\n.\r", "a\n.\n", "a\r\n..\r\n", ".", ".\r",
                                 ".\r\r\n", "a.\r\n", "a\r\n.x\r\n"}) {
    for (std::size_t slice = 1; slice <= wire.size(); ++slice)
      CHECK_FALSE(decode_data(wire, slice).ended);
  }
}

TEST_CASE("data_nul_is_a_fault_but_not_beyond_the_end") {
  const std::string inside("a\0b\r\n.\r\n", 8);
  const std::string beyond("ab\r\n.\r\n\0", 8);
  for (std::size_t slice = 1; slice <= 8; ++slice) {
    CHECK(decode_data(inside, slice).fault == Fault::nul);
    CHECK(decode_data(beyond, slice).fault == Fault::none);
  }
}

TEST_CASE("data_line_length_at_below_above") {
  TextLimits limits;
  limits.line = 10;
  const auto fault = [&](const std::string& line, std::size_t slice) {
    return decode_data(line + "\r\n.\r\n", slice, limits).fault;
  };
  for (const std::size_t slice : {1U, 3U, 7U, 100U}) {
    CHECK(fault(std::string(9, 'x'), slice) == Fault::none);
    CHECK(fault(std::string(10, 'x'), slice) == Fault::none);
    CHECK(fault(std::string(11, 'x'), slice) == Fault::line_too_long);
    CHECK(fault("." + std::string(10, 'x'), slice) ==
          Fault::none);  // the stuffed dot doesn't count
    CHECK(fault("." + std::string(11, 'x'), slice) == Fault::line_too_long);
    CHECK(fault("abc\r\n" + std::string(11, 'x'), slice) == Fault::line_too_long);
  }
}

TEST_CASE("data_default_line_length_is_998") {
  CHECK(decode_data(std::string(998, 'x') + "\r\n.\r\n", 4096).fault == Fault::none);
  CHECK(decode_data(std::string(999, 'x') + "\r\n.\r\n", 4096).fault == Fault::line_too_long);
}

TEST_CASE("data_message_size_at_below_above") {
  TextLimits limits;
  limits.message = 20;
  const auto fault = [&](std::size_t octets, std::size_t slice) {
    return decode_data(std::string(octets - 2, 'x') + "\r\n.\r\n", slice, limits).fault;
  };
  for (const std::size_t slice : {1U, 3U, 7U, 100U}) {
    CHECK(fault(19, slice) == Fault::none);
    CHECK(fault(20, slice) == Fault::none);
    CHECK(fault(21, slice) == Fault::message_too_large);
  }
}

TEST_CASE("data_header_size_at_below_above") {
  TextLimits limits;
  limits.header = 10;  // with the empty line
  const auto fault = [&](const std::string& wire, std::size_t slice) {
    return decode_data(wire + "body that is much longer\r\n.\r\n", slice, limits).fault;
  };
  for (const std::size_t slice : {1U, 3U, 100U}) {
    CHECK(fault("A: bc\r\n\r\n", slice) == Fault::none);
    CHECK(fault("A: bcd\r\n\r\n", slice) == Fault::none);
    CHECK(fault("A: bcde\r\n\r\n", slice) == Fault::header_too_large);
  }
}

TEST_CASE("data_header_fields_at_below_above") {
  TextLimits limits;
  limits.fields = 3;
  const auto fault = [&](int fields, std::size_t slice) {
    std::string wire;
    for (int i = 0; i < fields; ++i) wire += "A: b\r\n c\r\n\td\r\n";
    return decode_data(wire + "\r\nx\r\ny\r\nz\r\nw\r\n.\r\n", slice, limits).fault;
  };
  for (const std::size_t slice : {1U, 3U, 1000U}) {
    CHECK(fault(2, slice) == Fault::none);
    CHECK(fault(3, slice) == Fault::none);
    CHECK(fault(4, slice) == Fault::too_many_fields);
  }
}

TEST_CASE("chunks_pass_dots_and_crlf_across_boundaries") {
  for (std::size_t slice = 1; slice < 20; ++slice) {
    std::string text;
    CHECK(decode_chunks({"a\r", "\n.\r\n", "..b\r\n", "", "end"}, slice, &text) == Fault::none);
    CHECK(text == "a\r\n.\r\n..b\r\nend");
  }
}

TEST_CASE("chunks_refuse_bare_cr_and_lf_across_boundaries") {
  for (std::size_t slice = 1; slice < 20; ++slice) {
    CHECK(decode_chunks({"a\r", "b\r\n"}, slice, nullptr) == Fault::bare_cr);
    CHECK(decode_chunks({"a", "\nb\r\n"}, slice, nullptr) == Fault::bare_lf);
    CHECK(decode_chunks({"a\r", "\r\nb\r\n"}, slice, nullptr) == Fault::bare_cr);
    CHECK(decode_chunks({"a\r\n", "\nb\r\n"}, slice, nullptr) == Fault::bare_lf);
    CHECK(decode_chunks({"a\r\nb\r"}, slice, nullptr) == Fault::bare_cr);
    CHECK(decode_chunks({"a\n.\n"}, slice, nullptr) == Fault::bare_lf);
    CHECK(decode_chunks({"a\r\n.\n"}, slice, nullptr) == Fault::bare_lf);
  }
}
