#include "core/dns/message.hpp"

#include <catch2/catch.hpp>

#include "core/dns/wire.hpp"
#include "core/encoding.hpp"
#include "tests/core/dns/dns_server.hpp"

namespace {
using namespace postern;
using namespace postern::dns;
using namespace postern::test;

constexpr unsigned kOk = 0x8180;
constexpr unsigned kNxDomain = 0x8183;
const std::string kA("\xc0\x00\x02\x01", 4);

Response parse(const std::string& wire, Type type = Type::a, std::string_view name = "a.test") {
  return parse_response(wire, name, type);
}

Answer answer(const std::vector<Rr>& answers, Type type = Type::a) {
  return parse(response(1, kOk, "a.test", type, answers), type).answer;
}

std::optional<std::string> name_at(const std::string& wire, std::size_t at = 0) {
  return WireReader(wire).at(at).name();
}
}  // namespace

TEST_CASE("dns_canonical_name_is_lower_case_without_final_dot") {
  CHECK(canonical_name("Mail.EXAMPLE.test.") == "mail.example.test");
  CHECK(canonical_name("_dmarc.a-b.test") == "_dmarc.a-b.test");
  CHECK(canonical_name("user+tag=x/y*.test") == "user+tag=x/y*.test");
  const std::string label63(63, 'a');
  CHECK(canonical_name(label63 + ".test"));
  CHECK_FALSE(canonical_name(label63 + "a.test"));
  const std::string longest = label63 + "." + label63 + "." + label63 + "." + std::string(61, 'a');
  REQUIRE(longest.size() == kMaxName);
  CHECK(canonical_name(longest));
  CHECK(canonical_name(longest + "."));
  CHECK_FALSE(canonical_name(longest + "a"));
  for (const char* bad :
       {"", ".", "..", "a..b", ".a", "a b", "a\tb", "a\\b", "gr\xc3\xbc\xc3\x9f.test", "a\x7f"}) {
    CAPTURE(bad);
    CHECK_FALSE(canonical_name(bad));
  }
  CHECK_FALSE(canonical_name(std::string_view("a\0b", 3)));
}

TEST_CASE("dns_query_has_the_form_of_rfc_1035_and_6891") {
  CHECK(hex_encode(encode_query("a.test", Type::mx, 0x1234, Edns::off)) ==
        "1234"
        "0120"
        "0001000000000000"
        "01610474657374"
        "00"
        "000f0001");
  CHECK(hex_encode(encode_query("a.test", Type::aaaa, 0xfffe, Edns::on)) ==
        "fffe"
        "0120"
        "0001000000000001"
        "01610474657374"
        "00"
        "001c0001"
        "00"
        "0029"
        "04d0"
        "00000000"
        "0000");
}

TEST_CASE("dns_response_with_records_of_each_type") {
  const auto a = answer(
      {{"A.Test", Type::a, 300, kA}, {"a.test", Type::a, 60, std::string("\x7f\0\0\x01", 4)}});
  CHECK(a.status == Status::ok);
  CHECK(a.ttl == 60);
  REQUIRE(a.addresses.size() == 2);
  CHECK(a.addresses[0].to_string() == "192.0.2.1");
  CHECK(a.addresses[1].to_string() == "127.0.0.1");

  const auto aaaa = answer({{"a.test", Type::aaaa, 5, std::string(15, '\0') + '\x01'}}, Type::aaaa);
  REQUIRE(aaaa.addresses.size() == 1);
  CHECK(aaaa.addresses[0].to_string() == "::1");

  const auto mx = answer({{"a.test", Type::mx, 5, u16(10) + wire_name("MX.a.test")},
                          {"a.test", Type::mx, 5, u16(0) + wire_name("")}},
                         Type::mx);
  REQUIRE(mx.mx.size() == 2);
  CHECK(mx.mx[0].preference == 10);
  CHECK(mx.mx[0].host == "mx.a.test");
  CHECK(mx.mx[1].host.empty());  // null MX, RFC 7505 §3

  const std::string strings = std::string("\x03") + "v=s" + '\0' + "\x05" + "pf1 \xff";
  const auto txt = answer({{"a.test", Type::txt, 5, strings}}, Type::txt);
  REQUIRE(txt.texts.size() == 1);
  CHECK(txt.texts[0] == "v=spf1 \xff");

  for (const Type type : {Type::ptr, Type::ns, Type::cname}) {
    const auto names = answer({{"a.test", type, 5, wire_name("B.test")}}, type);
    CHECK(names.status == Status::ok);
    CHECK(names.names == std::vector<std::string>{"b.test"});
  }
}

TEST_CASE("dns_response_follows_aliases_within_the_message") {
  const auto a = answer({{"c.test", Type::a, 300, kA},
                         {"a.test", Type::cname, 20, wire_name("b.test")},
                         {"b.test", Type::cname, 90, wire_name("c.test")},
                         {"other.test", Type::a, 1, kA}});
  CHECK(a.status == Status::ok);
  CHECK(a.addresses.size() == 1);
  CHECK(a.ttl == 20);
}

TEST_CASE("dns_response_that_ends_at_an_alias_names_it") {
  const auto parsed = parse(
      response(1, kOk, "a.test", Type::a, {{"a.test", Type::cname, 20, wire_name("b.test")}}));
  CHECK(parsed.alias == "b.test");
  CHECK(parsed.answer.ttl == 20);
  // With an SOA the server has looked: the target has no such record.
  const auto looked =
      parse(response(1, kOk, "a.test", Type::a, {{"a.test", Type::cname, 20, wire_name("b.test")}},
                     {{"test", Type::soa, 500, soa_data(60)}}));
  CHECK(looked.alias.empty());
  CHECK(looked.answer.status == Status::nodata);
  CHECK(looked.answer.ttl == 20);
}

TEST_CASE("dns_alias_loops_and_long_chains_are_temporary") {
  CHECK(answer({{"a.test", Type::cname, 1, wire_name("a.test")}}).status == Status::temporary);
  CHECK(answer({{"a.test", Type::cname, 1, wire_name("b.test")},
                {"b.test", Type::cname, 1, wire_name("a.test")}})
            .status == Status::temporary);
  for (const std::size_t links : {kMaxAliasesInMessage - 1, kMaxAliasesInMessage}) {
    std::vector<Rr> chain;
    std::string at = "a.test";
    for (std::size_t i = 0; i < links; ++i) {
      const auto next = "n" + std::to_string(i) + ".test";
      chain.push_back({at, Type::cname, 1, wire_name(next)});
      at = next;
    }
    chain.push_back({at, Type::a, 1, kA});
    CHECK(answer(chain).status == (links < kMaxAliasesInMessage ? Status::ok : Status::temporary));
  }
}

TEST_CASE("dns_negative_answers_differ_and_carry_their_ttl") {
  // RFC 2308 §2 and §5: the smaller of the SOA's TTL and its minimum.
  const std::vector<Rr> soa{{"test", Type::soa, 500, soa_data(60)}};
  const std::vector<Rr> short_soa{{"test", Type::soa, 30, soa_data(60)}};
  const auto gone = parse(response(1, kNxDomain, "a.test", Type::a, {}, soa)).answer;
  CHECK(gone.status == Status::nxdomain);
  CHECK(gone.ttl == 60);
  const auto nodata = parse(response(1, kOk, "a.test", Type::a, {}, short_soa)).answer;
  CHECK(nodata.status == Status::nodata);
  CHECK(nodata.ttl == 30);
  CHECK(parse(response(1, kOk, "a.test", Type::a)).answer.status == Status::nodata);
  CHECK(parse(response(1, kOk, "a.test", Type::a)).answer.ttl == 0);
  // A referral says nothing about the name.
  const std::vector<Rr> ns{{"test", Type::ns, 500, wire_name("ns.test")}};
  CHECK(parse(response(1, kOk, "a.test", Type::a, {}, ns)).answer.status == Status::temporary);
  // An alias that leads to nothing (RFC 6604 §3: the rcode is about the last name).
  CHECK(parse(response(1, kNxDomain, "a.test", Type::a,
                       {{"a.test", Type::cname, 1, wire_name("b.test")}}))
            .answer.status == Status::nxdomain);
}

TEST_CASE("dns_other_rcodes_are_temporary") {
  for (unsigned rcode = 0; rcode < 16; ++rcode) {
    if (rcode == 0 || rcode == 3) continue;
    CAPTURE(rcode);
    const auto parsed =
        parse(response(1, 0x8180 | rcode, "a.test", Type::a, {{"a.test", Type::a, 1, kA}}));
    CHECK(parsed.answer.status == Status::temporary);
    CHECK(parsed.format_error == (rcode == 1));
  }
}

TEST_CASE("dns_header_that_does_not_fit_is_temporary") {
  const std::vector<Rr> a{{"a.test", Type::a, 1, kA}};
  CHECK(parse(response(1, 0x0180, "a.test", Type::a, a)).answer.status ==
        Status::temporary);  // a query
  CHECK(parse(response(1, 0x8980, "a.test", Type::a, a)).answer.status ==
        Status::temporary);  // opcode
  CHECK(parse(response(1, 0x8380, "a.test", Type::a, a)).answer.status ==
        Status::temporary);  // truncated
  CHECK(parse(response(1, kOk, "b.test", Type::a, a)).answer.status ==
        Status::temporary);  // another name
  CHECK(parse(response(1, kOk, "a.test", Type::aaaa, a)).answer.status ==
        Status::temporary);  // another type
  CHECK_FALSE(parse(response(1, kOk, "a.test", Type::a, a)).answer.authenticated);
  CHECK(parse(response(1, kOk | 0x20, "a.test", Type::a, a)).answer.authenticated);
}

TEST_CASE("dns_malformed_records_make_the_response_temporary") {
  CHECK(answer({{"a.test", Type::a, 1, "abc"}}).status == Status::temporary);
  CHECK(answer({{"a.test", Type::a, 1, "abcde"}}).status == Status::temporary);
  CHECK(answer({{"a.test", Type::aaaa, 1, "abcd"}}, Type::aaaa).status == Status::temporary);
  CHECK(answer({{"a.test", Type::mx, 1, "a"}}, Type::mx).status == Status::temporary);
  CHECK(answer({{"a.test", Type::mx, 1, u16(1) + wire_name("b.test") + "x"}}, Type::mx).status ==
        Status::temporary);
  CHECK(answer({{"a.test", Type::txt, 1, ""}}, Type::txt).status == Status::temporary);
  CHECK(answer({{"a.test", Type::txt, 1, "\x05short"}}, Type::txt).status == Status::ok);
  CHECK(answer({{"a.test", Type::txt, 1, "\x06short"}}, Type::txt).status == Status::temporary);
  CHECK(answer({{"a.test", Type::cname, 1, "\x02x"}}).status == Status::temporary);
}

TEST_CASE("dns_response_cut_anywhere_is_temporary") {
  const auto whole = response(1, kOk, "a.test", Type::mx,
                              {{"a.test", Type::mx, 5, u16(10) + wire_name("mx.a.test")}},
                              {{"test", Type::soa, 5, soa_data(5)}});
  REQUIRE(parse(whole, Type::mx).answer.status == Status::ok);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK(parse(whole.substr(0, size), Type::mx).answer.status == Status::temporary);
  }
}

TEST_CASE("dns_ttl_with_the_top_bit_is_zero") {
  // RFC 2181 §8
  CHECK(answer({{"a.test", Type::a, 0x80000000, kA}}).ttl == 0);
  CHECK(answer({{"a.test", Type::a, 0x7fffffff, kA}}).ttl == 0x7fffffff);
}

TEST_CASE("dns_names_are_escaped_so_that_no_label_passes_for_two") {
  CHECK(name_at(std::string("\x03"
                            "a.b"
                            "\x01"
                            "c\0",
                            7)) == "a\\.b.c");
  CHECK(name_at(std::string("\x04"
                            "a\\\0 "
                            "\x01"
                            "\xff\0",
                            8)) == "a\\\\\\000\\032.\\255");
  CHECK(name_at(std::string("\0", 1)) == "");
  CHECK_FALSE(canonical_name("a\\.b"));
}

TEST_CASE("dns_compressed_names_lead_backwards_and_end") {
  // RFC 1035 §4.1.4's own example: F.ISI.ARPA at 20, FOO.F.ISI.ARPA at 40, ARPA at 64, root at 92.
  std::string wire(93, '\0');
  wire.replace(20, 12,
               std::string("\x01"
                           "F\x03ISI\x04"
                           "ARPA\0",
                           12));
  wire.replace(40, 6,
               "\x03"
               "FOO\xc0\x14");
  wire.replace(64, 2, "\xc0\x1a");
  CHECK(name_at(wire, 20) == "f.isi.arpa");
  CHECK(name_at(wire, 40) == "foo.f.isi.arpa");
  CHECK(name_at(wire, 64) == "arpa");
  CHECK(name_at(wire, 92) == "");
  WireReader in(wire);
  in = in.at(40);
  REQUIRE(in.name());
  CHECK(in.position() == 46);

  CHECK_FALSE(name_at(std::string("\xc0\x00", 2)));    // itself
  CHECK_FALSE(name_at(std::string("\xc0\x02\0", 3)));  // forwards
  CHECK_FALSE(name_at(std::string("\x01"
                                  "a\xc0\x00",
                                  4),
                      0));                                      // round and round
  CHECK_FALSE(name_at(std::string("\xc0\x02\xc0\x00", 4), 2));  // to one that leads forwards
  CHECK_FALSE(
      name_at(std::string("\x40"
                          "a\0",
                          3)));  // reserved label types
  CHECK_FALSE(
      name_at(std::string("\x80"
                          "a\0",
                          3)));
  CHECK_FALSE(
      name_at("\x05"
              "abc"));
  CHECK_FALSE(name_at("\xc0"));
  CHECK_FALSE(name_at(""));
}

TEST_CASE("dns_names_above_255_octets_are_refused") {
  const std::string label = "\x3f" + std::string(63, 'a');
  const std::string fits = label + label + label + "\x3d" + std::string(61, 'a') + '\0';
  REQUIRE(fits.size() == 255);
  CHECK(name_at(fits));
  const std::string above = label + label + label + "\x3e" + std::string(62, 'a') + '\0';
  CHECK_FALSE(name_at(above));
}
