#include "message/mime.hpp"

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "message/builder.hpp"
#include "message/index.hpp"
#include "suites.hpp"

using namespace postern;
using namespace postern::message;
namespace json = boost::json;

namespace {

std::string text_of(std::string_view message, const Part& part) {
  return std::string(message.substr(part.body_begin, part.octets()));
}

/// "multipart/mixed(text/plain message/rfc822(text/plain))"
std::string outline(const PartTree& tree, std::uint32_t index = 0) {
  const Part& part = tree.parts.at(index);
  std::string out = part.type.type + "/" + part.type.subtype;
  if (part.children.empty()) return out;
  out += "(";
  for (const auto child : part.children)
    out += (child == part.children.front() ? "" : " ") + outline(tree, child);
  return out + ")";
}

std::string dump(const PartTree& tree) {
  std::string out;
  for (const Part& p : tree.parts) {
    out += fmt::format("{} {} {} {} {} {} {};", p.header_begin, p.body_begin, p.body_end, p.lines,
                       static_cast<int>(p.kind), p.parent, p.type.subtype);
  }
  return out;
}

const std::string kSimple =  // RFC 2046 §5.1.1
    "From: Nathaniel Borenstein <nsb@bellcore.com>\r\nTo: Ned Freed <ned@innosoft.com>\r\n"
    "Date: Sun, 21 Mar 1993 23:56:48 -0800 (PST)\r\nSubject: Sample message\r\nMIME-Version: "
    "1.0\r\n"
    "Content-type: multipart/mixed; boundary=\"simple boundary\"\r\n\r\n"
    "This is the preamble.  It is to be ignored, though it\r\nis a handy place for composition "
    "agents to include an\r\n"
    "explanatory note to non-MIME conformant readers.\r\n\r\n--simple boundary\r\n\r\n"
    "This is implicitly typed plain US-ASCII text.\r\nIt does NOT end with a "
    "linebreak.\r\n--simple boundary\r\n"
    "Content-type: text/plain; charset=us-ascii\r\n\r\nThis is explicitly typed plain US-ASCII "
    "text.\r\n"
    "It DOES end with a linebreak.\r\n\r\n--simple boundary--\r\n\r\nThis is the epilogue.  It is "
    "also to be ignored.\r\n";

}  // namespace

TEST_CASE("mime_example_of_rfc_2046_has_exact_parts") {
  const PartTree tree = parse_parts(kSimple);
  CHECK(outline(tree) == "multipart/mixed(text/plain text/plain)");
  CHECK(text_of(kSimple, tree.parts[1]) ==
        "This is implicitly typed plain US-ASCII text.\r\nIt does NOT end with a linebreak.");
  CHECK(tree.parts[1].lines == 1);
  CHECK(text_of(kSimple, tree.parts[2]) ==
        "This is explicitly typed plain US-ASCII text.\r\nIt DOES end with a linebreak.\r\n");
  CHECK(tree.parts[2].lines == 2);
  CHECK(tree.parts[0].body_end == kSimple.size());
  CHECK(tree.size == kSimple.size());
  CHECK_FALSE(tree.degraded);
  REQUIRE(tree.parts[0].envelope);
  CHECK(tree.parts[0].envelope->subject == "Sample message");
  CHECK_FALSE(tree.parts[1].envelope);
}

TEST_CASE("mime_parser_gives_the_same_tree_in_any_pieces") {
  std::vector<std::string> messages{kSimple};
  std::string lf = kSimple;
  std::erase(lf, '\r');
  messages.push_back(lf);
  messages.push_back(
      "Content-Type: message/rfc822\r\n\r\nSubject: x\r\nContent-Type: multipart/a; "
      "boundary=b\r\n\r\n"
      "--b\r\n\r\none\r\n--b  \r\nA: b\r\n--b\r\n\r\r\n--b--");
  for (const std::string& message : messages) {
    const std::string whole = dump(parse_parts(message));
    for (const std::size_t size :
         {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{7}, std::size_t{64}}) {
      MimeParser parser;
      for (std::size_t at = 0; at < message.size(); at += size)
        parser.feed(std::string_view(message).substr(at, size));
      CHECK(dump(parser.finish()) == whole);
    }
  }
}

TEST_CASE("mime_message_inside_a_message_has_its_envelope") {
  const std::string message =
      "Subject: outer\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
      "Content-Type: message/rfc822\r\n\r\nSubject: inner\r\nFrom: "
      "a@b\r\n\r\nhello\r\n\r\n--b--\r\n";
  const PartTree tree = parse_parts(message);
  CHECK(outline(tree) == "multipart/mixed(message/rfc822(text/plain))");
  CHECK(tree.parts[1].kind == Part::Kind::message);
  REQUIRE(tree.parts[2].envelope);
  CHECK(tree.parts[2].envelope->subject == "inner");
  CHECK(text_of(message, tree.parts[1]) == "Subject: inner\r\nFrom: a@b\r\n\r\nhello\r\n");
  CHECK(text_of(message, tree.parts[2]) == "hello\r\n");
  CHECK(tree.parts[1].lines == 4);
  CHECK(tree.parts[2].lines == 1);
}

TEST_CASE("mime_digest_parts_default_to_messages") {
  const PartTree tree = parse_parts(
      "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nSubject: "
      "one\r\n\r\nx\r\n--b\r\n"
      "Content-Type: text/plain\r\n\r\ny\r\n--b--\r\n");
  CHECK(outline(tree) == "multipart/digest(message/rfc822(text/plain) text/plain)");
}

TEST_CASE("mime_part_fields_are_kept") {
  const PartTree tree = parse_parts(
      "Content-Type: IMAGE/GIF; Name=x.gif\r\nContent-Transfer-Encoding: Base64\r\nContent-ID: "
      "<i@x>\r\n"
      "Content-Description: a\r\n picture\r\nContent-MD5: Q2hlY2s=\r\nContent-Disposition: inline; "
      "filename=y.gif\r\n"
      "Content-Language: en, de\r\nContent-Location: http://x.example/\r\n\r\nR0lG\r\n");
  const Part& part = tree.parts[0];
  CHECK(part.type == ContentType{"image", "gif", {{"name", "x.gif"}}});
  CHECK(part.encoding == "BASE64");
  CHECK(part.id == "<i@x>");
  CHECK(part.description == "a picture");
  CHECK(part.md5 == "Q2hlY2s=");
  CHECK(part.disposition == Disposition{"inline", {{"filename", "y.gif"}}});
  CHECK(part.language == std::vector<std::string>{"en", "de"});
  CHECK(part.location == "http://x.example/");
}

TEST_CASE("mime_broken_structures_degrade") {
  struct Case {
    std::string message, outline;
  };
  const Case cases[] = {
      {"", "text/plain"},
      {"\r\n", "text/plain"},
      {"no header at all", "text/plain"},
      {"Content-Type: multipart/mixed\r\n\r\nx", "text/plain"},
      {"Content-Type: multipart/mixed; boundary=b\r\n\r\nnothing", "text/plain"},
      {"Content-Type: multipart/mixed; boundary=\"\"\r\n\r\n--\r\n\r\nx", "text/plain"},
      {"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b--\r\n", "text/plain"},
      {"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n", "multipart/mixed(text/plain)"},
      {"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b", "multipart/mixed(text/plain)"},
      {"Content-Type: multipart/mixed; boundary=b\r\n--b\r\n\r\nx\r\n--b--", "text/plain"},
      {"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nSubject: x\r\n--b--\r\n",
       "multipart/mixed(text/plain)"},
      {"Content-Type: multipart/mixed; boundary=b\r\n\r\n--bb\r\n\r\nx\r\n--b \t\r\n\r\ny\r\n--b--",
       "multipart/mixed(text/plain)"},
      {"Content-Type: message/rfc822\r\n", "message/rfc822(text/plain)"},
      {"Content-Type: message/rfc822\r\n\r\n", "message/rfc822(text/plain)"},
      {"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nU3ViamVjdDogeA==",
       "message/rfc822"},
      {"Content-Type: /\r\n\r\nx", "text/plain"},
      // The outer boundary ends inner multiparts that lost theirs.
      {"Content-Type: multipart/a; boundary=o\r\n\r\n--o\r\nContent-Type: multipart/b; "
       "boundary=i\r\n\r\n--i\r\n\r\nx\r\n--o\r\n\r\ny\r\n--o--",
       "multipart/a(multipart/b(text/plain) text/plain)"},
      // After the closing boundary its name means nothing.
      {"Content-Type: multipart/a; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n--b\r\n\r\nepilogue",
       "multipart/a(text/plain)"},
      // One boundary is the beginning of another.
      {"Content-Type: multipart/a; boundary=foo\r\n\r\n--foo\r\nContent-Type: multipart/b; "
       "boundary=foobar\r\n\r\n--foobar\r\n\r\nx\r\n--foobar--\r\n--foo--",
       "multipart/a(multipart/b(text/plain))"},
      {"Content-Type: multipart/a; boundary=foobar\r\n\r\n--foobar\r\nContent-Type: multipart/b; "
       "boundary=foo\r\n\r\n--foo\r\n\r\nx\r\n--foobar\r\n\r\ny\r\n--foobar--",
       "multipart/a(multipart/b(text/plain) text/plain)"},
  };
  for (const Case& c : cases) {
    INFO(c.message);
    CHECK(outline(parse_parts(c.message)) == c.outline);
  }
}

TEST_CASE("mime_depth_limit_at_below_and_above") {
  const auto nested = [](std::size_t levels) {
    std::string message;
    for (std::size_t i = 0; i < levels; ++i) {
      message += fmt::format("Content-Type: multipart/mixed; boundary=b{}\r\n\r\n--b{}\r\n", i, i);
    }
    return message + "\r\nx\r\n";
  };
  for (const std::size_t levels : {kMaxDepth - 1, kMaxDepth}) {
    const PartTree tree = parse_parts(nested(levels));
    CHECK(tree.parts.size() == levels + 1);
    CHECK_FALSE(tree.degraded);
    CHECK(tree.parts.back().type.is("text", "plain"));
  }
  const PartTree tree = parse_parts(nested(kMaxDepth + 1));
  CHECK(tree.parts.size() == kMaxDepth + 1);
  CHECK(tree.degraded);
  CHECK(tree.parts.back().kind == Part::Kind::leaf);
  CHECK(tree.parts.back().type.is("application", "octet-stream"));
}

TEST_CASE("mime_part_count_limit_at_below_and_above") {
  const auto wide = [](std::size_t parts) {
    std::string message = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
    for (std::size_t i = 0; i < parts; ++i) message += "--b\r\n\r\nx\r\n";
    return message + "--b--\r\n";
  };
  CHECK(parse_parts(wide(kMaxParts - 2)).parts.size() == kMaxParts - 1);
  CHECK_FALSE(parse_parts(wide(kMaxParts - 1)).degraded);
  const PartTree tree = parse_parts(wide(kMaxParts));
  CHECK(tree.parts.size() == kMaxParts);
  CHECK(tree.degraded);
}

TEST_CASE("mime_header_size_limit_degrades") {
  const std::string filler = "X: " + std::string(1'000, 'a') + "\r\n";
  std::string header;
  while (header.size() + filler.size() < kMaxPartHeader) header += filler;
  CHECK_FALSE(parse_parts(header + "\r\nx").degraded);
  const PartTree tree = parse_parts(header + filler + "Content-Type: text/html\r\n\r\nx");
  CHECK(tree.degraded);
  CHECK(text_of(header + filler + "Content-Type: text/html\r\n\r\nx", tree.parts[0]) == "x");
}

namespace {

struct Leaf {
  std::uint64_t header, body, end;
  std::string type;
};

void leaves_of(const json::value& message, std::vector<Leaf>& out) {
  for (const auto& part : message.at("parts").as_array()) {
    const auto& body = part.at("body").as_object();
    if (body.contains("Message")) {
      leaves_of(body.at("Message"), out);
    } else if (!body.contains("Multipart")) {
      const auto n = [&](const char* key) {
        return static_cast<std::uint64_t>(part.at(key).to_number<std::int64_t>());
      };
      out.push_back({n("offset_header"), n("offset_body"), n("offset_end"), {}});
    }
  }
}

/// Where mail-parser decides otherwise, and why we don't.
bool decided_otherwise(const std::string& name) {
  const std::string known[] = {
      "rfc/008.",  // it opens base64-encoded messages (RFC 2046 §5.2.1 forbids)
      "malformed/000.",  "malformed/001.",
      "malformed/004.",  "malformed/016.",  // a prefix is no boundary
      "malformed/009.",  "malformed/011.",
      "malformed/012.",                     // an outer boundary ends the inner multiparts
      "malformed/007.",  "malformed/022.",  // a header without its blank line
      "malformed/013.",  "malformed/014.",  // a boundary as the last line begins an empty part
      "malformed/020.",  "malformed/021.",  // of two Content-Type fields the first counts
      "thirdparty/005.",                    // a boundary begins a line
      "thirdparty/015.",                    // a multipart without parts is a leaf
      "legacy/049.",                        // ends in a bare CR, changed by the conversion here
  };
  for (const std::string& part : known) {
    if (name.find(part) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("mime_offsets_agree_with_mail_parser") {
  const auto root = test::suites_path("mime/mail-parser/eml");
  if (test::suite_missing(root)) return;
  int same = 0, differ = 0;
  std::string differing;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    std::string name = entry.path().string();
    if (!name.ends_with(".json") || decided_otherwise(name)) continue;
    const bool crlf = name.ends_with(".crlf.json");
    const std::string base = name.substr(0, name.size() - (crlf ? 10 : 5));
    std::string message = test::read_file(base + ".eml");
    message = to_crlf(message);
    if (!crlf) std::erase(message, '\r');
    std::vector<Leaf> want;
    leaves_of(test::read_json(name), want);
    const PartTree tree = parse_parts(message);
    std::vector<Leaf> got;
    for (const Part& part : tree.parts) {
      if (part.kind == Part::Kind::leaf)
        got.push_back({part.header_begin, part.body_begin, part.body_end, {}});
    }
    bool equal = got.size() == want.size();
    for (std::size_t i = 0; equal && i < got.size(); ++i) {
      equal = got[i].body == want[i].body && got[i].end == want[i].end;
    }
    (equal ? same : differ) += 1;
    if (!equal) {
      differing += name.substr(root.string().size()) + ":";
      for (const Leaf& l : got) differing += fmt::format(" {}-{}-{}", l.header, l.body, l.end);
      differing += " |";
      for (const Leaf& l : want) differing += fmt::format(" {}-{}-{}", l.header, l.body, l.end);
      differing += "\n";
    }
  }
  INFO(differing);
  CHECK(same > 150);
  CHECK(differ == 0);
}

namespace {

/// The tree of a mime4j XML file as an outline: p leaf, m message, M multipart.
std::string xml_outline(const std::string& xml) {
  std::string out;
  for (std::size_t at = xml.find('<'); at != std::string::npos; at = xml.find('<', at + 1)) {
    const std::string tag = xml.substr(at, xml.find('>', at) - at + 1);
    if (tag == "<message>") out += "m(";
    if (tag == "<multipart>") out += "M(";
    if (tag == "</message>" || tag == "</multipart>") out += ")";
    if (tag == "<body>" || tag.starts_with("<body ")) out += "p";
  }
  return out;
}

std::string our_outline(const PartTree& tree, std::uint32_t index = 0) {
  const Part& part = tree.parts.at(index);
  std::string inside = part.kind == Part::Kind::multipart ? "M("
                       : part.kind == Part::Kind::leaf    ? "p"
                                                          : "";
  for (const auto child : part.children) inside += our_outline(tree, child);
  if (part.kind == Part::Kind::multipart) inside += ")";
  return part.envelope ? "m(" + inside + ")" : inside;
}

}  // namespace

TEST_CASE("mime_trees_agree_with_mime4j") {
  const auto root = test::suites_path("mime/mime4j");
  if (test::suite_missing(root)) return;
  // Where mime4j decides otherwise: it opens encoded messages (RFC 2046 §5.2.1 forbids them), keeps
  // multiparts without a part, tells boundaries apart by trailing spaces (RFC 2046 §5.1.1 forbids
  // those) and takes boundaries of any length.
  const std::string otherwise =
      " multi-2gifs-base64.msg base64encoded-rfc822message-nested.msg "
      "base64encoded-rfc822message.msg "
      "bad-newlines-multiple-parts-base64.msg badbound.msg missing-inner-start-boundary.msg "
      "missing-inner-boundary.msg multipartnopart.msg missing-boundary.msg weird-boundary.msg "
      "very-long-boundary.msg very-very-long-boundary.msg ";
  int same = 0, differ = 0;
  std::string differing;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (entry.path().extension() != ".msg") continue;
    if (otherwise.find(" " + entry.path().filename().string() + " ") != std::string::npos) continue;
    auto xml = entry.path();
    xml.replace_extension(".xml");
    if (!std::filesystem::exists(xml)) continue;
    const std::string want = xml_outline(test::read_file(xml));
    const std::string got = our_outline(parse_parts(test::read_file(entry.path())));
    (got == want ? same : differ) += 1;
    if (got != want)
      differing += entry.path().filename().string() + ": " + got + " | " + want + "\n";
  }
  INFO(differing);
  CHECK(same > 60);
  CHECK(differ == 0);
}

TEST_CASE("tree_behind_another_header_is_the_tree_of_that_message") {
  const std::string body =
      "--b\r\n\r\none\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: "
      "in\r\n\r\ntwo\r\n--b--\r\n";
  const std::string type = "Content-Type: multipart/mixed; boundary=b\r\n";
  const std::string before = "Bcc: hidden@x.example\r\nSubject: s\r\n" + type + "\r\n";
  for (const std::string& after :
       {"Return-Path: <>\r\nReceived: by x\r\nSubject: s\r\nFrom: a@x.example\r\n" + type + "\r\n",
        "Subject: s\r\n" + type + "\r\n"}) {
    const auto moved = with_header(parse_parts(before + body), after);
    const auto fresh = parse_parts(after + body);
    CHECK(dump(moved) == dump(fresh));
    CHECK(moved.size == fresh.size);
    CHECK(*moved.parts[0].envelope == *fresh.parts[0].envelope);
    REQUIRE(moved.parts.size() == 4);
    CHECK(*moved.parts[3].envelope == *fresh.parts[3].envelope);
  }
}

TEST_CASE("tree_of_a_bare_header_or_message_moves_too") {
  const auto bare = with_header(parse_parts("Subject: s\r\n"), "A: b\r\nSubject: s\r\n");
  CHECK(dump(bare) == dump(parse_parts("A: b\r\nSubject: s\r\n")));
  const std::string type = "Content-Type: message/rfc822\r\n\r\n";
  const std::string inner = "Subject: in\r\n\r\nx\r\n";
  const auto message = with_header(parse_parts(type + inner), "A: b\r\n" + type);
  CHECK(dump(message) == dump(parse_parts("A: b\r\n" + type + inner)));
}
