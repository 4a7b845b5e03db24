#include "app/server/queue_mailer.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <fstream>
#include <sstream>

#include "message/header.hpp"
#include "tests/smtp/reception/reception_house.hpp"
#include "tests/support/eventually.hpp"

using namespace postern;
using namespace std::chrono_literals;
using test::must;
using test::ReceptionHouse;

namespace {

constexpr const char* kLink = "https://acme.example/s/0123456789abcdef";

struct House : ReceptionHouse {
  accounts::Mail mail_to(const std::string& address) const {
    return {address, "Sign in to Acme", std::string("Follow ") + kLink + "\n",
            world.clock.now() + 10min};
  }
  std::size_t platform_tenants() {
    const auto rows =
        must(world.change([](sql::Transaction& tx) -> Result<std::vector<accounts::Tenant>> {
          return accounts::list_tenants(tx, "", 10);
        }));
    return static_cast<std::size_t>(
        std::ranges::count(rows, accounts::kPlatformTenant, &accounts::Tenant::name));
  }
  TenantId platform_id() { return must(world.run(tenant.id())); }

  accounts::PlatformTenant tenant{world.registry, world.keystore, world.clock, 3};
  server::QueueMailer mailer{environment, tenant,
                             must(server::parse_mail_from("Acme <no-reply@acme.example>"))};
};

Task<void> send_and_count(accounts::Mailer* mailer, accounts::Mail mail, int* sent, int* ended) {
  const auto done = co_await mailer->send(std::move(mail));
  if (done) ++*sent;
  ++*ended;
}

}  // namespace

TEST_CASE("mail_for_another_server_waits_in_the_platforms_name_signed_by_the_from_domain") {
  House house;
  house.add_signing_key(house.acme.id, "acme.example");
  must(house.world.run(house.mailer.send(house.mail_to("joe@remote.example"))));
  const auto queued = house.queued(Lane::auth);
  REQUIRE(queued.size() == 1);
  const auto& envelope = queued[0]->envelope;
  CHECK(envelope.tenant == house.platform_id());
  CHECK(envelope.tenant != house.acme.id);
  CHECK(envelope.deadline == house.world.clock.now() + 10min);
  CHECK(envelope.return_path == "no-reply@acme.example");
  const auto text = house.text_of(queued[0]);
  CHECK_THAT(text, Catch::Contains(kLink));
  const auto header = message::HeaderBlock::parse(text);
  CHECK(header.text("From") == "Acme <no-reply@acme.example>");
  CHECK(header.text("To") == "joe@remote.example");
  CHECK(header.text("Subject") == "Sign in to Acme");
  CHECK(header.text("Auto-Submitted") == "auto-generated");
  const auto results = house.world.run(
      dkim::verify(house.dns, dkim::make_message(text), {.now = house.world.clock.now()}));
  REQUIRE(results.size() == 1);
  CHECK(results[0].result == dkim::Verdict::pass);
}

TEST_CASE("mail_waits_in_the_lane_that_it_names") {
  House house;
  auto mail = house.mail_to("joe@remote.example");
  mail.lane = Lane::alert;
  must(house.world.run(house.mailer.send(mail)));
  CHECK(house.queued(Lane::alert).size() == 1);
  CHECK(house.queued(Lane::auth).empty());
}

TEST_CASE("mail_for_a_mailbox_here_lies_in_it") {
  House house;
  must(house.world.run(house.mailer.send(house.mail_to("eve@other.example"))));
  const auto mail = house.mail(house.eve);
  REQUIRE(mail.size() == 1);
  CHECK_THAT(mail[0].text, Catch::Contains(kLink));
  CHECK(house.queued(Lane::auth).empty());
}

TEST_CASE("mails_sent_at_the_same_time_make_one_platform_tenant") {
  House house;
  int sent = 0;
  int ended = 0;
  constexpr int kMails = 4;
  for (int i = 0; i < kMails; ++i) {
    asio::co_spawn(
        house.world.context,
        send_and_count(&house.mailer, house.mail_to("joe@remote.example"), &sent, &ended),
        asio::detached);
  }
  REQUIRE(test::eventually(house.world.context, [&] { return ended == kMails; }));
  CHECK(sent == kMails);
  CHECK(house.platform_tenants() == 1);
  const auto queued = house.queued(Lane::auth);
  REQUIRE(queued.size() == kMails);
  for (const auto& message : queued) {
    CHECK(message->envelope.tenant == house.platform_id());
    CHECK_THAT(house.text_of(message), Catch::Contains(kLink));
  }
}

TEST_CASE("mail_that_cannot_leave_is_an_error") {
  House house;
  const auto bad = house.world.run(house.mailer.send(house.mail_to("nobody")));
  REQUIRE_FALSE(bad);
  CHECK(bad.error().code == Errc::invalid);
  auto late = house.mail_to("joe@remote.example");
  late.deadline = house.world.clock.now();
  const auto refused = house.world.run(house.mailer.send(late));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::timeout);
  CHECK(house.queued(Lane::auth).empty());
}

TEST_CASE("log_of_a_mail_holds_neither_its_recipient_nor_its_text") {
  House house;
  const auto path = house.world.directory.file("log");
  must(log::configure(log::Level::debug, log::Format::text, path));
  CHECK(house.world.run(house.mailer.send(house.mail_to("joe@remote.example"))));
  CHECK(house.world.run(house.mailer.send(house.mail_to("eve@other.example"))));
  CHECK_FALSE(house.world.run(house.mailer.send(house.mail_to("joe@remote.example, x"))));
  must(log::configure(log::Level::error, log::Format::text, ""));
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  CHECK_THAT(text.str(), Catch::Contains("account_mail_sent"));
  CHECK_THAT(text.str(), Catch::Contains("account_mail_not_sent"));
  for (const auto* secret : {"0123456789abcdef", "joe", "eve@", "Sign in"})
    CHECK_THAT(text.str(), !Catch::Contains(secret));
}

TEST_CASE("mail_from_is_one_address_with_or_without_a_name") {
  struct Case {
    const char* text;
    const char* name;
    const char* address;
  };
  const auto one = GENERATE(
      Case{"no-reply@acme.example", "", "no-reply@acme.example"},
      Case{" Acme Mail <no-reply@Acme.Example> ", "Acme Mail", "no-reply@acme.example"},
      Case{"\"Acme, Inc.\" <no-reply@acme.example>", "Acme, Inc.", "no-reply@acme.example"},
      Case{"<no-reply@acme.example>", "", "no-reply@acme.example"});
  CAPTURE(one.text);
  const auto parsed = must(server::parse_mail_from(one.text));
  CHECK(parsed.name == one.name);
  CHECK(parsed.address == one.address);
}

TEST_CASE("mail_from_that_is_no_single_address_is_refused") {
  for (const auto* text :
       {"", "no-reply", "no-reply@", "@acme.example", "a@acme.example, b@acme.example",
        "a@acme.example b@acme.example", "Acme <a@acme.example> more", "a@acme.example <",
        "Group: a@acme.example;", "a@[192.0.2.1]", "a@acme.example\r\nBcc: x@acme.example"}) {
    CAPTURE(text);
    const auto refused = server::parse_mail_from(text);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::invalid);
  }
}
