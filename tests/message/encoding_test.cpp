// Encoded words, parameters, content types, transfer encodings.
#include <catch2/catch.hpp>

#include "message/content_type.hpp"
#include "message/email_address.hpp"
#include "message/encoded_word.hpp"
#include "message/header.hpp"
#include "message/transfer_encoding.hpp"
#include "suites.hpp"

using namespace postern;
using namespace postern::message;

TEST_CASE("encoded_words_of_rfc_2047_section_8") {
  CHECK(decode_words("=?ISO-8859-1?Q?a?=") == "a");
  CHECK(decode_words("=?ISO-8859-1?Q?a?= b") == "a b");
  CHECK(decode_words("=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=") == "ab");
  CHECK(decode_words("=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=") == "ab");
  CHECK(decode_words("=?ISO-8859-1?Q?a?=\r\n    =?ISO-8859-1?Q?b?=") == "ab");
  CHECK(decode_words("=?ISO-8859-1?Q?a_b?=") == "a b");
  CHECK(decode_words("=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=") == "a b");
  CHECK(decode_words("=?ISO-8859-1?Q?Keld_J=F8rn_Simonsen?=") == "Keld Jørn Simonsen");
  CHECK(decode_words("=?US-ASCII*EN?Q?Keith_Moore?=") == "Keith Moore");
}

TEST_CASE("encoded_words_split_inside_a_character_are_joined") {
  CHECK(decode_words("=?utf-8?q?M=C3?= =?utf-8?q?=BC?=") == "Mü");
}

TEST_CASE("broken_encoded_words_stay_as_they_are") {
  for (const std::string text :
       {"=?", "=?utf-8", "=?utf-8?", "=?utf-8?q", "=?utf-8?q?abc",
        "=?utf-8?x?abc?=", "=?no-such-charset?q?abc?=", "=??q?abc?=", "=?=?=?="}) {
    CHECK(decode_words(text) == text);
  }
}

TEST_CASE("raw_bytes_become_utf8") {
  CHECK(decode_words("caf\xe9") == "café");
  CHECK(decode_words("caf\xc3\xa9") == "café");
  CHECK(decode_words(std::string("a\0b", 3)) == "ab");
  CHECK(to_utf8("windows-1252", "\x80") == "€");
  CHECK(to_utf8("iso-2022-jp", "\x1b$B$3$s\x1b(B") == "こん");
  CHECK(to_utf8("gb18030", "\xc4\xe3") == "你");
  CHECK(to_utf8("shift_jis", "\x82\xb1") == "こ");
  CHECK_FALSE(to_utf8("no-such-charset", "a"));
  CHECK(is_utf8(*to_utf8("utf-16", "\xd8\x00")));
}

TEST_CASE("words_are_encoded_and_come_back") {
  CHECK(encode_words("plain text") == "plain text");
  CHECK(encode_words("a\r\nBcc: x") == "a  Bcc: x");
  for (const std::string text :
       {"Grüße aus München", "=?utf-8?q?not_encoded?=",
        "漢字かな交じり文の長い長い件名をここに書いて折り返しを確かめる試験です",
        "a very long subject with one ümlaut that goes on and on so that several words are needed "
        "for it"}) {
    const std::string encoded = encode_words(text);
    CHECK(is_ascii(encoded));
    CHECK(decode_words(encoded) == text);
    for (std::size_t begin = 0; begin < encoded.size();) {
      const auto end = std::min(encoded.find(' ', begin), encoded.size());
      CHECK(end - begin <= 75);
      CHECK(encoded.compare(begin, 2, "=?") == 0);
      begin = end + 1;
    }
  }
}

TEST_CASE("unstructured_fields_agree_with_mail_parser") {
  const auto path = test::suites_path("mime/mail-parser/unstructured.json");
  if (test::suite_missing(path)) return;
  for (const auto& entry : test::read_json(path).as_array()) {
    std::string text(entry.at("header").as_string());
    // It puts a space before an encoded word that is glued to text, and one after an empty one; and
    // it normalises folding to one space, decoding words that are folded inside.
    if (text.find("]=?") != std::string::npos || text.find("?\?=here") != std::string::npos ||
        text.find("Hello\n") != std::string::npos || text.find("Hello\r") != std::string::npos) {
      continue;
    }
    HeaderReader reader(text = "X:" + text);
    std::string got;
    for (const char c : decode_words(reader.next()->value)) {
      const char s = c == '\t' ? ' ' : c;
      if (s != ' ' || !got.ends_with(' ')) got += s;
    }
    std::string want(entry.at("expected").as_string());
    for (auto twice = want.find("  "); twice != std::string::npos; twice = want.find("  "))
      want.erase(twice, 1);
    INFO(text);
    CHECK(got == want);
  }
}

TEST_CASE("content_types_are_read") {
  const auto type =
      parse_content_type(" Text/HTML (comment) ; Charset=\"us-ascii\" (x); format=flowed");
  CHECK(type.is("text", "html"));
  CHECK(type.parameters == Parameters{{"charset", "us-ascii"}, {"format", "flowed"}});
  CHECK(parse_content_type("").type.empty());
  CHECK(parse_content_type("text").subtype.empty());
  CHECK(parse_content_type("a/b; x=\"y").parameters == Parameters{{"x", "y"}});
  CHECK(parse_content_type("a/b; x=1; x=2").parameters == Parameters{{"x", "1"}});
  CHECK(parse_content_type("a/b; name=my file.pdf").parameters ==
        Parameters{{"name", "my file.pdf"}});
  const auto disposition = parse_disposition("ATTACHMENT; filename=\"a;b.txt\"; size=12");
  CHECK(disposition.kind == "attachment");
  CHECK(disposition.parameters == Parameters{{"filename", "a;b.txt"}, {"size", "12"}});
}

TEST_CASE("parameters_of_rfc_2231_are_decoded") {
  const auto decoded = [](std::string_view text) {
    return decode_parameters(parse_parameters(text));
  };
  CHECK(decoded("; URL*0=\"ftp://\"; URL*1=\"cs.utk.edu/pub\"") ==
        Parameters{{"url", "ftp://cs.utk.edu/pub"}});
  CHECK(decoded("; title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A") ==
        Parameters{{"title", "This is ***fun***"}});
  CHECK(decoded(
            "; title*0*=us-ascii'en'This%20is%20even%20more%20; title*1*=%2A%2A%2Afun%2A%2A%2A%20; "
            "title*2=\"isn't it!\"") ==
        Parameters{{"title", "This is even more ***fun*** isn't it!"}});
  CHECK(decoded("; title*1=b; title*0=a") == Parameters{{"title", "ab"}});
  CHECK(decoded("; filename*=UTF-8''%e2%82%ac%20rates; filename=\"EURO rates\"") ==
        Parameters{{"filename", "€ rates"}});
  CHECK(decoded("; name=\"=?utf-8?q?=C3=A4?=.txt\"") == Parameters{{"name", "ä.txt"}});
  CHECK(decoded("; a*=nonsense") == Parameters{{"a", "nonsense"}});
  CHECK(decoded("; a*=%zz%4") == Parameters{{"a", "%zz%4"}});
}

TEST_CASE("parameters_are_formatted_and_come_back") {
  CHECK(format_parameter("name", "a.txt") == "; name=a.txt");
  CHECK(format_parameter("name", "a b.txt") == "; name=\"a b.txt\"");
  CHECK(format_parameter("name", "ä.txt") == "; name*=utf-8''%C3%A4.txt");
  for (const std::string value :
       {"a.txt", "a b.txt", "q\"b\\c",
        "Übergrößenträger der Straßenbahngesellschaft mit sehr langem Namen.pdf", "a\r\nb", ""}) {
    const auto back = decode_parameters(parse_parameters(format_parameter("filename", value)));
    REQUIRE(back.size() == 1);
    CHECK(back[0].value == (value == "a\r\nb" ? "a  b" : value));
  }
}

TEST_CASE("parameter_limit_holds") {
  std::string text;
  for (std::size_t i = 0; i < kMaxParameters + 3; ++i) text += "; p" + std::to_string(i) + "=1";
  CHECK(parse_parameters(text).size() == kMaxParameters);
}

TEST_CASE("content_types_agree_with_mail_parser") {
  const auto path = test::suites_path("mime/mail-parser/content_type.json");
  if (test::suite_missing(path)) return;
  int compared = 0;
  for (const auto& entry : test::read_json(path).as_array()) {
    const std::string text(entry.at("header").as_string());
    const auto& want = entry.at("expected");
    // Left out: what nobody agrees on (hostile asterisks, NUL, non-ASCII tokens, unclosed quotes,
    // bare "=", spaces between encoded words inside quotes).
    if (want.is_null() || text.find("malicious") == 0 || text.find("test/encoded") == 0 ||
        text.find("inva/lid") == 0 || text.find("image/jpeg;\n   name=\"=?") == 0 ||
        text.find("name=value") == 0 || text.find('=') == 0 || text.find("\xc3\xa1") == 0 ||
        text.find("application/pdf\n") == 0) {
      continue;
    }
    INFO(text);
    const auto got = parse_content_type(text);
    CHECK(got.type == want.at("c_type").as_string());
    const auto* subtype = want.as_object().if_contains("c_subtype");
    CHECK(got.subtype ==
          (subtype != nullptr && subtype->is_string() ? std::string(subtype->as_string()) : ""));
    Parameters expected;
    const auto* attributes = want.as_object().if_contains("attributes");
    if (attributes != nullptr && attributes->is_array()) {
      for (const auto& pair : attributes->as_array()) {
        const std::string name(pair.at(0).as_string());
        if (!name.ends_with("-language"))
          expected.push_back({name, std::string(pair.at(1).as_string())});
      }
    }
    Parameters decoded = decode_parameters(got.parameters);
    std::erase_if(decoded, [](const Parameter& p) { return p.value.empty(); });
    CHECK(decoded.size() == expected.size());
    for (const Parameter& p : expected)
      CHECK(find_parameter(decoded, p.name).value_or("(none)") == p.value);
    ++compared;
  }
  CHECK(compared > 60);
}

TEST_CASE("transfer_encodings_are_named") {
  CHECK(parse_transfer_encoding(" BASE64 ") == TransferEncoding::base64);
  CHECK(parse_transfer_encoding("quoted-printable (c)") == TransferEncoding::quoted_printable);
  CHECK(parse_transfer_encoding("") == TransferEncoding::identity);
  CHECK(parse_transfer_encoding("8Bit") == TransferEncoding::identity);
  CHECK(parse_transfer_encoding("x-uuencode") == TransferEncoding::unknown);
}

namespace {
template <class Decoder>
std::string bytewise(std::string_view text) {
  Decoder decoder;
  std::string out;
  for (const char& c : text) decoder.feed({&c, 1}, out);
  decoder.finish(out);
  return out;
}
}  // namespace

TEST_CASE("base64_bodies_are_decoded_in_any_pieces") {
  const std::pair<std::string, std::string> cases[] = {{"", ""},
                                                       {"Zg==", "f"},
                                                       {"Zm8=", "fo"},
                                                       {"Zm9v", "foo"},
                                                       {"Zm9vYmFy", "foobar"},  // RFC 4648 §10
                                                       {"Zm9v\r\nYmFy\r\n", "foobar"},
                                                       {"Zm9vYg", "foob"},
                                                       {"Zg==Zg==", "ff"},
                                                       {"Z!m@9#v", "foo"},
                                                       {"Z", ""}};
  for (const auto& [encoded, plain] : cases) {
    INFO(encoded);
    CHECK(decode_body(TransferEncoding::base64, encoded) == plain);
    CHECK(bytewise<Base64Decoder>(encoded) == plain);
  }
}

TEST_CASE("quoted_printable_bodies_are_decoded_in_any_pieces") {
  const std::pair<std::string, std::string> cases[] = {
      {"Now's the time =\r\nfor all folk to come=\r\n to the aid of their country.",
       "Now's the time for all folk to come to the aid of their country."},  // RFC 2045 §6.7
      {"a=3Db=3db", "a=b=b"},
      {"trailing  \t\r\nx", "trailing\r\nx"},
      {"soft=  \r\nx", "softx"},
      {"=XY=", "=XY"},
      {"lf =\nx\ny", "lf x\ny"},
      {"=C3=A4", "ä"},
      {"", ""}};
  for (const auto& [encoded, plain] : cases) {
    INFO(encoded);
    CHECK(decode_body(TransferEncoding::quoted_printable, encoded) == plain);
    CHECK(bytewise<QuotedPrintableDecoder>(encoded) == plain);
  }
  std::string endless, want;
  for (int i = 0; i < 10'000; ++i) endless += "a=41", want += "aA";
  CHECK(decode_body(TransferEncoding::quoted_printable, endless) == want);
  CHECK(bytewise<QuotedPrintableDecoder>(endless) == want);
}

TEST_CASE("bodies_are_encoded_within_76_columns") {
  std::string all;
  for (int round = 0; round < 3; ++round) {
    for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  }
  all += "line with space at its end \r\n\ttab\t\r\nlast ";
  for (const auto encoding : {TransferEncoding::base64, TransferEncoding::quoted_printable}) {
    const std::string encoded = encoding == TransferEncoding::base64 ? encode_base64_lines(all)
                                                                     : encode_quoted_printable(all);
    CHECK(decode_body(encoding, encoded) == all);
    CHECK(is_ascii(encoded));
    for (std::size_t begin = 0; begin < encoded.size();) {
      const auto end = std::min(encoded.find("\r\n", begin), encoded.size());
      CHECK(end - begin <= 76);
      begin = end + 2;
    }
  }
}
