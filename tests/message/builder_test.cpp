#include "message/builder.hpp"

#include <catch2/catch.hpp>

#include "message/dsn.hpp"
#include "message/encoded_word.hpp"
#include "message/header.hpp"
#include "message/index.hpp"
#include "message/transfer_encoding.hpp"

using namespace postern;
using namespace postern::message;

namespace {

std::string part_text(const std::string& message, std::vector<std::uint32_t> path) {
  const PartTree tree = parse_parts(message);
  const Part* part = find_part(tree, path);
  REQUIRE(part != nullptr);
  return decode_body(parse_transfer_encoding(part->encoding),
                     std::string_view(message).substr(part->body_begin, part->octets()));
}

void check_lines(const std::string& message) {
  for (std::size_t begin = 0; begin < message.size();) {
    const auto end = message.find("\r\n", begin);
    REQUIRE(end != std::string::npos);
    CHECK(end - begin <= 998);
    CHECK(message.find_first_of("\r\n", begin) == end);
    begin = end + 2;
  }
}

Outgoing sample() {
  Outgoing out;
  out.from = {{"Jörg, Müller", "joerg@example.com"}};
  out.to = {{"", "a@example.net"}, {"B. C.", "b@example.net"}};
  out.subject = "Grüße";
  out.date = from_micros(0);
  out.message_id = "<1@example.com>";
  out.text = "Hello\nWörld\n";
  return out;
}

}  // namespace

TEST_CASE("built_text_message_reads_back") {
  const std::string message = build_message(sample());
  check_lines(message);
  const Index index = make_index(message);
  CHECK(decode_words(*index.envelope().subject) == "Grüße");
  CHECK(index.envelope().from.at(0).display_name() == "Jörg, Müller");
  CHECK(index.envelope().to.size() == 2);
  CHECK(index.sent->time == from_micros(0));
  CHECK(index.tree.parts[0].type.is("text", "plain"));
  CHECK(part_text(message, {1}) == "Hello\r\nWörld\r\n");
}

TEST_CASE("built_message_with_everything_has_the_right_tree") {
  Outgoing out = sample();
  out.html = "<p>Hello</p>";
  out.attachments = {{"image/png", "logo.png", "PNG", "logo@x"},
                     {"application/pdf", "Übersicht.pdf", std::string(1'000, '\xff'), ""}};
  const std::string message = build_message(out);
  check_lines(message);
  const PartTree tree = parse_parts(message);
  CHECK(tree.parts[0].type.is("multipart", "mixed"));
  CHECK(find_part(tree, std::vector<std::uint32_t>{1})->type.is("multipart", "related"));
  CHECK(find_part(tree, std::vector<std::uint32_t>{1, 1})->type.is("multipart", "alternative"));
  CHECK(part_text(message, {1, 1, 2}) == "<p>Hello</p>\r\n");
  CHECK(part_text(message, {1, 2}) == "PNG");
  CHECK(part_text(message, {2}) == std::string(1'000, '\xff'));
  const Part* pdf = find_part(tree, std::vector<std::uint32_t>{2});
  CHECK(*find_parameter(decode_parameters(pdf->disposition.parameters), "filename") ==
        "Übersicht.pdf");
}

TEST_CASE("built_headers_can_not_be_injected") {
  Outgoing out = sample();
  out.subject = "a\r\nBcc: victim@example.net\r\n\r\nbody";
  out.from[0].name = "x\r\nEvil: 1";
  out.to[0].address = "a@example.net\r\nEvil: 2";
  out.fields = {{"X-Tag", "v\nEvil: 3"}, {"Bad Name", "x"}, {"Bad:Name", "x"}};
  out.attachments = {{"text/plain\r\nEvil: 4", "n\r\nEvil: 5", "x", "id>\r\nEvil: 6"}};
  const std::string message = build_message(out);
  check_lines(message);
  CHECK(message.find("\r\nEvil") == std::string::npos);
  CHECK(message.find("\r\nBcc") == std::string::npos);
  CHECK(message.find("Bad") == std::string::npos);
}

TEST_CASE("fields_are_folded_at_spaces_and_unfold_to_the_same") {
  std::string value = "word";
  for (int i = 0; i < 40; ++i) value += " word" + std::to_string(i);
  std::string out;
  append_field(out, "Subject", value);
  for (std::size_t begin = 0; begin < out.size();) {
    const auto end = out.find("\r\n", begin);
    CHECK(end - begin <= kFoldColumn);
    begin = end + 2;
  }
  HeaderReader reader(out);
  const auto field = reader.next();
  REQUIRE(field);
  CHECK(unfold(field->value) == value);
  CHECK_FALSE(reader.next());
  out.clear();
  append_field(out, "X", "");
  CHECK(out == "X: \r\n");
}

TEST_CASE("long_lines_and_control_bytes_are_transfer_encoded") {
  Outgoing out = sample();
  out.text = std::string(998, 'a') + "\r\n";
  CHECK(build_message(out).find("7bit") != std::string::npos);
  out.text = std::string(999, 'a') + "\r\n";
  const std::string message = build_message(out);
  CHECK(message.find("quoted-printable") != std::string::npos);
  CHECK(part_text(message, {1}) == out.text);
}

namespace {

DsnMessage failed_dsn() {
  DsnMessage dsn;
  dsn.from_address = "postmaster@mx.example.com";
  dsn.to_address = "sender@example.org";
  dsn.subject = "Undelivered mail";
  dsn.text = "Your message could not be delivered.\n";
  dsn.date = from_micros(0);
  dsn.message_id = "<dsn@mx.example.com>";
  dsn.report.reporting_mta = "mx.example.com";
  dsn.report.envelope_id = "QQ314159";
  dsn.report.arrival = from_micros(0);
  DsnRecipient recipient;
  recipient.final_recipient = "louisl@larry.slip.umd.edu";
  recipient.original_recipient = "rfc822;louisl@larry.slip.umd.edu";
  recipient.status = "5.1.1";
  recipient.remote_mta = "larry.slip.umd.edu";
  recipient.diagnostic = "550 5.1.1 no such\r\nuser \xff";
  recipient.last_attempt = from_micros(60'000'000);
  dsn.report.recipients = {recipient};
  dsn.original = "Subject: x\r\nFrom: sender@example.org\r\n\r\nsecret body\r\n";
  return dsn;
}

}  // namespace

TEST_CASE("dsn_is_a_report_of_three_parts_and_reads_back") {
  DsnMessage dsn = failed_dsn();
  const std::string message = build_dsn(dsn);
  check_lines(message);
  const PartTree tree = parse_parts(message);
  CHECK(tree.parts[0].type.is("multipart", "report"));
  CHECK(find_parameter(tree.parts[0].type.parameters, "report-type") == "delivery-status");
  CHECK(tree.parts[1].type.is("text", "plain"));
  CHECK(tree.parts[2].type.is("message", "delivery-status"));
  CHECK(tree.parts[3].type.is("text", "rfc822-headers"));
  CHECK(message.find("secret body") == std::string::npos);
  const auto parsed = parse_dsn(message);
  REQUIRE(parsed);
  CHECK(parsed->report.reporting_mta == "mx.example.com");
  CHECK(parsed->report.envelope_id == "QQ314159");
  CHECK(parsed->report.arrival == from_micros(0));
  dsn.report.recipients[0].diagnostic = "550 5.1.1 no such  user ?";
  CHECK(parsed->report.recipients == dsn.report.recipients);
  CHECK(parsed->original_header.starts_with("Subject: x\r\n"));
}

TEST_CASE("dsn_with_full_return_holds_the_message") {
  DsnMessage dsn = failed_dsn();
  dsn.returned = DsnReturn::full;
  const std::string message = build_dsn(dsn);
  const PartTree tree = parse_parts(message);
  CHECK(tree.parts[3].type.is("message", "rfc822"));
  CHECK(message.find("secret body") != std::string::npos);
  CHECK(parse_dsn(message)->original_header == "Subject: x\r\nFrom: sender@example.org\r\n\r\n");
}

TEST_CASE("dsn_with_utf8_addresses_uses_the_global_forms") {
  // RFC 6533 §4
  DsnMessage dsn = failed_dsn();
  dsn.report.recipients[0].final_recipient = "jörg@example.com";
  dsn.report.recipients[0].original_recipient = "utf-8;jörg@example.com";
  const std::string message = build_dsn(dsn);
  CHECK(message.find("message/global-delivery-status") != std::string::npos);
  CHECK(message.find("Final-Recipient: utf-8; jörg@example.com") != std::string::npos);
  CHECK(parse_dsn(message)->report.recipients.at(0).final_recipient == "jörg@example.com");
}

TEST_CASE("dsn_examples_of_rfc_3464_appendix_e_are_read") {
  const DsnReport report = parse_delivery_status(
      "Reporting-MTA: dns; cs.utk.edu\n\nOriginal-Recipient: rfc822;arathib@vnet.ibm.com\n"
      "Final-Recipient: rfc822;arathib@vnet.ibm.com\nAction: failed\nStatus: 5.0.0 (permanent "
      "failure)\n"
      "Diagnostic-Code: smtp;\n 550 'arathib@vnet.IBM.COM' is not a registered gateway user\n"
      "Remote-MTA: dns; vnet.ibm.com\n\nOriginal-Recipient: rfc822;johnh@hpnjld.njd.hp.com\n"
      "Final-Recipient: rfc822;johnh@hpnjld.njd.hp.com\nAction: delayed\n"
      "Status: 4.0.0 (hpnjld.njd.jp.com: host name lookup failure)\n\n"
      "Original-Recipient: rfc822;wsnell@sdcc13.ucsd.edu\nFinal-Recipient: "
      "rfc822;wsnell@sdcc13.ucsd.edu\n"
      "Action: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550 user unknown\nRemote-MTA: dns; "
      "sdcc13.ucsd.edu\n");
  CHECK(report.reporting_mta == "cs.utk.edu");
  REQUIRE(report.recipients.size() == 3);
  CHECK(report.recipients[0].status == "5.0.0");
  CHECK(report.recipients[0].diagnostic ==
        "550 'arathib@vnet.IBM.COM' is not a registered gateway user");
  CHECK(report.recipients[0].remote_mta == "vnet.ibm.com");
  CHECK(report.recipients[1].action == DsnAction::delayed);
  CHECK(report.recipients[1].status == "4.0.0");
  CHECK(report.recipients[2].final_recipient == "wsnell@sdcc13.ucsd.edu");
}

TEST_CASE("dsn_that_is_none_or_broken") {
  CHECK_FALSE(parse_dsn(""));
  CHECK_FALSE(parse_dsn("Subject: hi\r\n\r\nhello"));
  const auto empty = parse_dsn(
      "Content-Type: message/delivery-status\r\n\r\ngarbage\r\n\r\nAction: "
      "exploded\r\nFinal-Recipient: rfc822; a@b\r\n");
  REQUIRE(empty);
  CHECK(empty->report.recipients.empty());
  std::string many;
  for (std::size_t i = 0; i < kMaxDsnRecipients + 1; ++i)
    many += "Final-Recipient: rfc822; a@b\nAction: failed\n\n";
  CHECK(parse_delivery_status(many).recipients.size() == kMaxDsnRecipients);
}
