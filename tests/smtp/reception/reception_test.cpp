// What acceptance does with messages of every size and provenance.
#include <fmt/format.h>

#include "dkim/sign/signer.hpp"
#include "message/builder.hpp"
#include "message/header.hpp"
#include "tests/smtp/reception/reception_house.hpp"

using namespace postern;
using smtp::reception::Alignment;
using smtp::reception::Policy;
using test::must;
using test::ReceptionHouse;

namespace {

constexpr std::size_t kLarge = 1'500'000;

std::string lines(std::size_t size) {
  std::string out;
  for (std::size_t i = 0; out.size() < size; ++i) out += fmt::format("line {} of the body\r\n", i);
  return out;
}

std::string message_from(const std::string& from, const std::string& body,
                         const std::string& more = "") {
  return "From: " + from + "\r\nTo: x@remote.example\r\nSubject: s\r\n" + more + "\r\n" + body;
}

std::string multipart(std::size_t size) {
  return "--b\r\nContent-Type: text/plain\r\n\r\n" + lines(size) +
         "--b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
         lines(size) + "--b--\r\n";
}
constexpr const char* kMultipart =
    "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n";

std::string body_of(const std::string& text) {
  return std::string(message::split_header(text).body);
}
std::string header_of(const std::string& text) {
  return std::string(message::split_header(text).header);
}

/// Signed by example's own key, which is put into the house's DNS.
std::string signed_message(ReceptionHouse& house, const std::string& text) {
  auto pair = must(dkim::generate(dkim::Algorithm::ed25519));
  house.dns.add_txt("s1._domainkey.remote.example", pair.dns_record);
  const std::vector<dkim::Selector> keys{
      {"s1", must(dkim::SigningKey::from_pem(pair.private_pem))}};
  return must(dkim::sign_message(text, "remote.example", keys, house.world.clock.now())) + text;
}

std::vector<dkim::SignatureResult> verify(ReceptionHouse& house, const std::string& text) {
  return house.world.run(
      dkim::verify(house.dns, dkim::make_message(text), {.now = house.world.clock.now()}));
}

void check_index(const ReceptionHouse::Stored& stored) {
  CHECK(message::encode_index(stored.index) ==
        message::encode_index(message::make_index(stored.text)));
}

}  // namespace

TEST_CASE("inbound_message_of_any_size_is_stored_octet_by_octet") {
  ReceptionHouse house;
  const auto size = GENERATE(std::size_t{0}, std::size_t{10'000}, storage::kStageThreshold - 200,
                             storage::kStageThreshold, kLarge);
  const auto slice = GENERATE(std::size_t{4'096}, std::size_t{70'000});
  CAPTURE(size, slice);
  const auto text = message_from("joe@remote.example", multipart(size), kMultipart);
  const auto reply =
      house.send(house.stranger(), "joe@remote.example", {"ann@acme.example"}, text, slice);
  REQUIRE(reply.code == 250);
  const auto mail = house.mail(house.ann);
  REQUIRE(mail.size() == 1);
  CHECK(body_of(mail[0].text) == body_of(text));
  CHECK(header_of(mail[0].text).ends_with(header_of(text)));
  CHECK(mail[0].text.starts_with("Return-Path: <joe@remote.example>\r\nAuthentication-Results: "));
  check_index(mail[0]);
  CHECK(house.queued().empty());
}

TEST_CASE("signature_over_a_staged_body_is_verified") {
  ReceptionHouse house;
  auto text = signed_message(house, message_from("joe@remote.example", lines(kLarge)));
  REQUIRE(house.send(house.stranger(), "joe@remote.example", {"ann@acme.example"}, text).code ==
          250);
  CHECK_THAT(header_of(house.mail(house.ann).at(0).text), Catch::Contains("dkim=pass"));
  text[text.size() - 10] ^= 1;
  REQUIRE(house.send(house.stranger(), "joe@remote.example", {"ann@acme.example"}, text).code ==
          250);
  CHECK_THAT(header_of(house.mail(house.ann).at(1).text), Catch::Contains("dkim=fail"));
}

TEST_CASE("large_message_for_two_tenants_waits_for_each_under_its_own_key") {
  ReceptionHouse house;
  const auto text = message_from("joe@remote.example", lines(kLarge));
  REQUIRE(house
              .send(house.stranger(), "joe@remote.example",
                    {"ann@acme.example", "eve@other.example"}, text)
              .code == 250);
  const auto queued = house.queued();
  REQUIRE(queued.size() == 2);
  CHECK(queued[0]->envelope.tenant != queued[1]->envelope.tenant);
  for (const auto& message : queued) {
    CHECK(body_of(house.text_of(message)) == body_of(text));
    const auto reply = must(house.world.run(
        house.local->deliver({.id = smtp::queue::delivery_id(message->envelope.id, 0),
                              .message = message,
                              .recipient = message->recipients[0],
                              .body = house.body_of(message)})));
    CHECK(reply.code == 250);
  }
  for (const auto& account : {house.ann, house.eve}) {
    const auto mail = house.mail(account);
    REQUIRE(mail.size() == 1);
    CHECK(body_of(mail[0].text) == body_of(text));
    check_index(mail[0]);
  }
}

TEST_CASE("large_submission_leaves_signed") {
  ReceptionHouse house;
  house.add_signing_key(house.acme.id, "acme.example");
  const auto text = message_from("ann@acme.example", lines(kLarge),
                                 "Bcc: hidden@remote.example\r\nReturn-Path: <forged@x.example>\r\n"
                                 "Authentication-Results: mx.acme.example; dmarc=pass\r\n");
  REQUIRE(house
              .send(house.user(house.ann), "ann@acme.example",
                    {"joe@remote.example", "bob@acme.example"}, text)
              .code == 250);
  const auto queued = house.queued();
  REQUIRE(queued.size() == 1);
  const auto stored = house.text_of(queued[0]);
  CHECK(body_of(stored) == body_of(text));
  const auto results = verify(house, stored);
  REQUIRE(results.size() == 1);
  CHECK(results[0].result == dkim::Verdict::pass);
  for (const auto* private_field : {"Bcc:", "Return-Path:", "dmarc=pass"})
    CHECK_THAT(header_of(stored), !Catch::Contains(private_field));
  CHECK_THAT(header_of(stored), Catch::Contains("Message-ID: <") && Catch::Contains("Date: "));
}

TEST_CASE("large_submission_to_ones_own_tenant_goes_straight_to_its_mailboxes") {
  ReceptionHouse house;
  house.add_signing_key(house.acme.id, "acme.example");
  const auto text = message_from("ann@acme.example", lines(kLarge));
  REQUIRE(house
              .send(house.user(house.ann), "ann@acme.example",
                    {"bob@acme.example", "ann@acme.example"}, text)
              .code == 250);
  CHECK(house.queued().empty());
  for (const auto& account : {house.ann, house.bob}) {
    const auto mail = house.mail(account);
    REQUIRE(mail.size() == 1);
    CHECK(body_of(mail[0].text) == body_of(text));
    CHECK(verify(house, mail[0].text).at(0).result == dkim::Verdict::pass);
    check_index(mail[0]);
  }
}

TEST_CASE("recipient_whose_domain_went_away_since_rcpt_is_not_forgotten") {
  ReceptionHouse house;
  house.after_recipients = [&house] {
    must(house.world.scoped(house.other.id, [&house](sql::TenantScope& scope) {
      return accounts::remove_account(scope, house.eve.id);
    }));
    must(house.world.change(
        [](sql::Transaction& tx) { return accounts::remove_domain(tx, "other.example"); }));
  };
  const auto reply =
      house.send(house.stranger(), "x@remote.example", {"ann@acme.example", "eve@other.example"},
                 message_from("x@remote.example", lines(200)));
  CHECK(reply.code == 451);  // the next try hears 550 for the one, and brings it to the other
  CHECK(house.mail(house.ann).empty());
  CHECK(house.queued().empty());
}

TEST_CASE("message_for_an_old_and_a_new_mailbox_arrives_once_each") {
  ReceptionHouse house;
  const auto text = message_from("joe@remote.example", lines(100));
  const auto from = house.stranger();
  REQUIRE(house.send(from, "joe@remote.example", {"ann@acme.example"}, text).code == 250);
  REQUIRE(
      house.send(from, "joe@remote.example", {"ann@acme.example", "bob@acme.example"}, text).code ==
      250);
  CHECK(house.mail(house.ann).size() == 2);
  CHECK(house.mail(house.bob).size() == 1);
}

TEST_CASE("message_whose_header_is_large_is_stored_whole") {
  ReceptionHouse house;
  std::string fields;
  while (fields.size() < 400'000) fields += "X-Filler: " + std::string(900, 'x') + "\r\n";
  for (const std::string& body : {std::string(), lines(10), lines(kLarge)}) {
    const auto text = message_from("joe@remote.example", body, fields);
    REQUIRE(house.send(house.stranger(), "joe@remote.example", {"ann@acme.example"}, text).code ==
            250);
    const auto mail = house.mail(house.ann);
    CHECK(header_of(mail.back().text).ends_with(header_of(text)));
    CHECK(body_of(mail.back().text) == body);
    CHECK(mail.back().index.header_size() == header_of(mail.back().text).size());
  }
}

TEST_CASE("large_messages_need_little_of_the_memory_budget") {
  ReceptionHouse house;
  house.budget = std::make_shared<smtp::ByteBudget>(2 << 20);
  house.environment.budget = house.budget;
  house.reception = std::make_unique<smtp::reception::Reception>(house.environment);
  const auto text = message_from("joe@remote.example", lines(20'000'000));
  REQUIRE(house.send(house.stranger(), "joe@remote.example", {"ann@acme.example"}, text).code ==
          250);
  CHECK(house.mail(house.ann).at(0).index.size() > 20'000'000);
  CHECK(house.budget->used() == 0);
}

TEST_CASE("message_without_memory_for_it_is_put_off_and_leaves_nothing") {
  ReceptionHouse house;
  house.environment.budget = std::make_shared<smtp::ByteBudget>(64 << 10);
  house.reception = std::make_unique<smtp::reception::Reception>(house.environment);
  for (const std::size_t size : {std::size_t{40'000}, std::size_t{100'000}, kLarge}) {
    CAPTURE(size);
    const auto reply = house.send(house.stranger(), "joe@remote.example", {"ann@acme.example"},
                                  message_from("joe@remote.example", lines(size)));
    CHECK(reply.code == 452);
    CHECK(reply.status == smtp::EnhancedStatus{4, 3, 1});
  }
  CHECK(house.environment.budget->used() == 0);
  CHECK(house.mail(house.ann).empty());
}

TEST_CASE("large_message_without_a_place_to_stage_is_put_off") {
  ReceptionHouse house;
  house.environment.staging.emplace(house.workers, house.world.directory.file("nowhere"));
  house.reception = std::make_unique<smtp::reception::Reception>(house.environment);
  const auto reply = house.send(house.stranger(), "joe@remote.example", {"ann@acme.example"},
                                message_from("joe@remote.example", lines(kLarge)));
  CHECK(reply.code == 451);
  CHECK(house.mail(house.ann).empty());
}

TEST_CASE("message_in_a_loop_is_refused") {
  Policy policy;
  policy.received_hops = 3;
  ReceptionHouse house(policy);
  const std::string hop = "Received: from a by b; Fri, 11 Jul 2003 21:00:37 -0700\r\n";
  const auto two = message_from("ann@acme.example", "x\r\n", hop + hop);
  const auto three = message_from("ann@acme.example", "x\r\n", hop + hop + hop);
  for (const auto& session : {house.stranger(), house.user(house.ann)}) {
    CHECK(house.send(session, "ann@acme.example", {"ann@acme.example"}, two).code == 250);
    const auto reply = house.send(session, "ann@acme.example", {"ann@acme.example"}, three);
    CHECK(reply.code == 554);
    CHECK(reply.status == smtp::EnhancedStatus{5, 4, 6});  // RFC 3463 §3.5: routing loop
  }
}

TEST_CASE("what_dmarc_fails_is_filed_or_refused_as_policy_and_setting_say") {
  struct Case {
    const char* dmarc;
    const char* spf;
    dkim::Refusal refusal;
    int code;
    const char* folder;
  };
  const auto one = GENERATE(
      Case{"v=DMARC1; p=none", "v=spf1 -all", dkim::Refusal::on_policy, 250, "INBOX"},
      Case{"v=DMARC1; p=quarantine", "v=spf1 -all", dkim::Refusal::on_policy, 250, "Junk"},
      Case{"v=DMARC1; p=reject", "v=spf1 ?all", dkim::Refusal::on_other_signal, 250, "Junk"},
      Case{"v=DMARC1; p=reject", "v=spf1 -all", dkim::Refusal::on_other_signal, 550, ""},
      Case{"v=DMARC1; p=reject", "v=spf1 -all", dkim::Refusal::never, 250, "Junk"},
      Case{"v=DMARC1; p=reject", "v=spf1 ?all", dkim::Refusal::on_policy, 550, ""});
  CAPTURE(one.dmarc, one.spf, one.code);
  Policy policy;
  policy.refusal = one.refusal;
  ReceptionHouse house(policy);
  house.dns.add_txt("_dmarc.remote.example", one.dmarc);
  house.dns.add_txt("remote.example", one.spf);
  const auto reply = house.send(house.stranger(), "joe@remote.example", {"ann@acme.example"},
                                message_from("joe@remote.example", "x\r\n"));
  CHECK(reply.code == one.code);
  if (reply.code != 250) {
    CHECK(reply.status == smtp::EnhancedStatus{5, 7, 1});
    CHECK(house.mail(house.ann).empty());
  } else {
    CHECK(house.mail(house.ann, one.folder).size() == 1);
  }
}

TEST_CASE("submission_without_a_key_follows_the_alignment_setting") {
  for (const auto alignment : {Alignment::off, Alignment::warn, Alignment::enforce}) {
    Policy policy;
    policy.alignment = alignment;
    ReceptionHouse house(policy);
    const auto reply = house.send(house.user(house.ann), "ann@acme.example", {"joe@remote.example"},
                                  message_from("ann@acme.example", "x\r\n"));
    CHECK(reply.code == (alignment == Alignment::enforce ? 550 : 250));
    CHECK(house.queued().size() == (alignment == Alignment::enforce ? 0 : 1));
  }
}

TEST_CASE("submission_in_another_name_is_refused") {
  ReceptionHouse house;
  const auto submit = [&](const std::string& text) {
    return house.send(house.user(house.ann), "ann@acme.example", {"joe@remote.example"}, text);
  };
  CHECK(submit(message_from("bob@acme.example", "x\r\n")).code == 553);
  CHECK(submit(message_from("eve@other.example", "x\r\n")).code == 553);
  CHECK(submit(message_from("ann@acme.example, eve@other.example", "x\r\n")).code == 553);
  CHECK(submit(message_from("ann@acme.example", "x\r\n", "Sender: bob@acme.example\r\n")).code ==
        553);
  CHECK(submit(message_from("ann@acme.example", "x\r\n", "From: ann@acme.example\r\n")).code ==
        550);
  CHECK(submit(message_from("ann@acme.example", "x\r\n",
                            "Sender: ann@acme.example\r\nSender: ann@acme.example\r\n"))
            .code == 550);
  CHECK(submit("Subject: nobody\r\n\r\nx\r\n").code == 550);
  CHECK(house.send(house.user(house.ann), "bob@acme.example", {"joe@remote.example"}, "").code ==
        553);
  CHECK(house.queued().empty());
}

TEST_CASE("stranger_reaches_only_mailboxes_of_this_host") {
  ReceptionHouse house;
  const auto rcpt = [&](const std::string& to) {
    return house.send(house.stranger(), "joe@remote.example", {to},
                      message_from("joe@remote.example", "x\r\n"));
  };
  CHECK(rcpt("ann@acme.example").code == 250);
  CHECK(rcpt("nobody@acme.example").status == smtp::EnhancedStatus{5, 1, 1});
  CHECK(rcpt("joe@elsewhere.example").status == smtp::EnhancedStatus{5, 7, 1});
}

TEST_CASE("mailbox_is_compressed_and_the_queue_is_not") {
  ReceptionHouse house;
  const auto text = message_from("ann@acme.example", lines(20'000));
  const auto stored = [&house](storage::Database& file) {
    return must(file.read_blocking<std::int64_t>([&](sql::Transaction& tx) -> Result<std::int64_t> {
      sql::TenantScope scope(tx, house.acme.id);
      auto row =
          scope.prepare("SELECT SUM(LENGTH(first_piece)) FROM bodies WHERE tenant_id = :tenant");
      return row.step() ? row.integer(0) : 0;
    }));
  };
  REQUIRE(house.send(house.user(house.ann), "ann@acme.example", {"bob@acme.example"}, text).code ==
          250);
  REQUIRE(house.send(house.user(house.ann), "ann@acme.example", {"x@remote.example"}, text).code ==
          250);
  CHECK(stored(house.files->mail(house.acme.shard)) < 10'000);
  CHECK(stored(house.files->queue()) > 20'000);
}
