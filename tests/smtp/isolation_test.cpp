// No tenant sees another's rows: every tenant table of every kind of file, by enumeration of what
// the schemas declare.
#include <map>
#include <vector>

#include "smtp/queue/event_log.hpp"
#include "smtp/queue/event_outbox.hpp"
#include "storage/schema.hpp"
#include "tests/smtp/reception/reception_house.hpp"

using namespace postern;
using test::must;
using test::ReceptionHouse;

namespace {

using Tables = std::map<std::string_view, std::string>;  // name to the statement that counts rows

Tables tables_of(const std::vector<sql::Schema>& schemas) {
  Tables out;
  for (const auto& schema : schemas) {
    for (const auto table : schema.tenant_tables) {
      out[table] = "SELECT COUNT(1) FROM " + std::string(table) + " WHERE tenant_id = :tenant";
    }
  }
  return out;
}

std::map<std::string_view, std::int64_t> count(storage::Database& file, TenantId tenant,
                                               const Tables& tables) {
  std::map<std::string_view, std::int64_t> rows;
  for (const auto& [table, statement] : tables) {
    rows[table] =
        must(file.read_blocking<std::int64_t>([&](sql::Transaction& tx) -> Result<std::int64_t> {
          sql::TenantScope scope(tx, tenant);
          auto row = scope.prepare(statement);
          row.step();
          return row.integer(0);
        }));
  }
  return rows;
}

void check_rows(storage::Database& file, TenantId mine, TenantId theirs, const Tables& tables) {
  REQUIRE_FALSE(tables.empty());
  for (const auto& [table, rows] : count(file, mine, tables)) {
    INFO(table);
    CHECK(rows > 0);  // a new table has to be filled below
  }
  for (const auto& [table, rows] : count(file, theirs, tables)) {
    INFO(table);
    CHECK(rows == 0);
  }
}

/// Without its tenant in the statement, no table gives a row.
void check_refused(storage::Database& file, TenantId tenant, const Tables& tables) {
  for (const auto& [table, statement] : tables) {
    INFO(table);
    const std::string all = "SELECT COUNT(1) FROM " + std::string(table);
    for (const std::string& text : {all, statement + " OR 1 = 1"}) {
      const auto refused = file.read_blocking<bool>([&](sql::Transaction& tx) -> Result<bool> {
        sql::TenantScope scope(tx, tenant);
        return scope.prepare(text).step();
      });
      CHECK_FALSE(refused);
      const auto outside = file.read_blocking<bool>(
          [&](sql::Transaction& tx) -> Result<bool> { return tx.prepare(text).step(); });
      CHECK_FALSE(outside);
    }
  }
}

std::string large_message() {
  std::string text = "From: joe@remote.example\r\nSubject: s\r\n\r\n";
  while (text.size() < 400'000) text += "a line of the body\r\n";
  return text;
}

}  // namespace

TEST_CASE("mail_of_one_tenant_is_no_row_for_another") {
  ReceptionHouse house;
  REQUIRE(house.send(house.stranger(), "joe@remote.example", {"ann@acme.example"}, large_message())
              .code == 250);
  REQUIRE(house
              .send(house.user(house.eve), "eve@other.example", {"ann@acme.example"},
                    "From: eve@other.example\r\n\r\nby way of the queue\r\n")
              .code == 250);
  const auto queued = house.queued().at(0);
  must(house.world.run(house.local->deliver({.id = smtp::queue::delivery_id(queued->envelope.id, 0),
                                             .message = queued,
                                             .recipient = queued->recipients[0],
                                             .body = house.body_of(queued)})));
  const mailbox::Place place{house.acme.id, house.acme.shard};
  const auto inbox = must(house.world.run(house.mailboxes.find(place, house.ann.id, "INBOX")));
  const std::string gone = "Subject: gone\r\n\r\nx\r\n";
  const auto key = must(house.world.run(house.world.look_up.data_key(house.acme.id)));
  must(house.world.run(house.mailboxes.append(
      place, inbox.id, {mailbox::kDeleted, {}}, storage::seal_body(*key, ObjectId::make(), gone),
      message::make_index(gone), house.world.clock.now(), std::nullopt)));
  must(house.world.run(house.mailboxes.expunge(place, inbox.id, {mailbox::UidRange{}})));

  const auto tables = tables_of({mailbox::mail_schema(), storage::body_schema()});
  auto& file = house.files->mail(house.acme.shard);
  check_rows(file, house.acme.id, house.other.id, tables);
  check_refused(file, house.acme.id, tables);
}

TEST_CASE("queued_mail_of_one_tenant_is_no_row_for_another") {
  ReceptionHouse house;
  REQUIRE(house
              .send(house.user(house.ann), "ann@acme.example", {"joe@remote.example"},
                    "From: ann@acme.example\r\n\r\n" + large_message())
              .code == 250);
  auto key = must(house.world.run(house.world.look_up.data_key(house.acme.id)));
  smtp::queue::NewMessage message;
  message.envelope.tenant = house.acme.id;
  message.envelope.id = MessageId::make();
  message.envelope.created_at = house.world.clock.now();
  message.recipients.push_back({.address = "joe@remote.example"});
  message.body = std::make_shared<const storage::SealedBody>(
      storage::seal_body(*key, ObjectId::make(), "x\r\n"));
  message.idempotency = smtp::queue::Idempotency{"key", "print"};
  auto& file = house.files->queue();
  must(file.write_blocking<void>(storage::Purpose::intake,
                                 [&](sql::Transaction& tx) -> Result<void> {
                                   auto done = smtp::queue::enqueue(tx, message);
                                   if (!done) return std::unexpected(done.error());
                                   return {};
                                 }));
  const auto tables = tables_of({smtp::queue::queue_schema(), storage::body_schema()});
  check_rows(file, house.acme.id, house.other.id, tables);
  check_refused(file, house.acme.id, tables);
}

TEST_CASE("timelines_of_one_tenant_are_no_row_for_another") {
  test::TempDirectory directory;
  storage::Database::Options options;
  options.path = directory.file("events.db");
  options.schemas = {smtp::queue::event_schema()};
  auto file = must(storage::Database::open(std::move(options)));
  smtp::queue::DeliveryEvent event;
  event.tenant = TenantId::make();
  event.message = MessageId::make();
  must(file->write_blocking<void>(storage::Purpose::outcome,
                                  [&](sql::Transaction& tx) -> Result<void> {
                                    smtp::queue::record_events(tx, {&event, 1});
                                    return {};
                                  }));
  const auto tables = tables_of({smtp::queue::event_schema()});
  check_rows(*file, event.tenant, TenantId::make(), tables);
  check_refused(*file, event.tenant, tables);
}
