// A queue that an earlier version of the program left is the same queue after its tables were
// rebuilt.
#include <catch2/catch.hpp>

#include "storage/body/body_store.hpp"
#include "storage/outbox.hpp"
#include "tests/smtp/queue/queue_fixture.hpp"

using namespace postern;
using test::QueueFixture;
namespace q = smtp::queue;

namespace {

constexpr std::size_t kFirst = 1;  // migration of each schema: the tables as they were

std::vector<q::DueRow> due(QueueFixture& f) {
  return f.read<std::vector<q::DueRow>>([now = f.clock.now()](sql::Transaction& tx) {
    return q::due_rows(tx, Lane::transactional, {}, now, 100);
  });
}

std::vector<storage::outbox::Entry> waiting(QueueFixture& f) {
  return f.read<std::vector<storage::outbox::Entry>>([](sql::Transaction& tx) {
    return storage::outbox::due(tx, "topic", Timestamp::max(), 100);
  });
}

std::string body_of(QueueFixture& f, const q::NewMessage& message) {
  const auto range = f.read<storage::SealedRange>([&](sql::Transaction& tx) {
    sql::TenantScope scope(tx, f.tenant);
    return storage::read_body(scope, message.envelope.body, 0, UINT64_MAX).value();
  });
  return storage::open_range(*f.key, message.envelope.body, range, 0, UINT64_MAX).value();
}

}  // namespace

TEST_CASE("queue_of_before_is_kept_when_its_tables_are_rebuilt") {
  QueueFixture f(kFirst);
  std::vector<q::NewMessage> messages;
  std::vector<std::string> texts;
  for (const std::size_t size : {100U, 9'000U, 100'000U}) {
    std::string text = "Subject: s\r\n\r\n";
    for (std::size_t i = 0; text.size() < size; ++i) text += std::to_string(i * 7'919) + "\r\n";
    auto message = f.message({"a@x.example", "b@y.example"}, text);
    message.envelope.body = message.body->object;
    message.envelope.size = message.body->size;
    REQUIRE(f.write([&](sql::Transaction& tx) { return q::enqueue(tx, message, nullptr); }));
    messages.push_back(std::move(message));
    texts.push_back(std::move(text));
  }
  REQUIRE(f.write([&](sql::Transaction& tx) -> Result<int> {
    storage::outbox::append(tx, "topic", "second", f.clock.now() + std::chrono::seconds(1));
    storage::outbox::append(tx, "topic", std::string("fi\0rst", 6), f.clock.now());
    return 0;
  }));
  const auto due_before = due(f);
  const auto waiting_before = waiting(f);
  REQUIRE(due_before.size() == 6);
  REQUIRE(waiting_before.size() == 2);

  f.reopen();
  const auto due_after = due(f);
  REQUIRE(due_after.size() == due_before.size());
  for (std::size_t i = 0; i < due_after.size(); ++i) {
    CHECK(due_after[i].message == due_before[i].message);
    CHECK(due_after[i].recipient == due_before[i].recipient);
    CHECK(due_after[i].tenant == f.tenant);
    CHECK(due_after[i].destination == due_before[i].destination);
    CHECK(due_after[i].due_at == due_before[i].due_at);
  }
  const auto waiting_after = waiting(f);
  REQUIRE(waiting_after.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(waiting_after[i].payload == waiting_before[i].payload);
    CHECK(waiting_after[i].place.id == waiting_before[i].place.id);
    CHECK(waiting_after[i].place.next_at == waiting_before[i].place.next_at);
    CHECK(waiting_after[i].created_at == waiting_before[i].created_at);
  }
  for (std::size_t i = 0; i < messages.size(); ++i) {
    CHECK(body_of(f, messages[i]) == texts[i]);
    const auto loaded = f.read<q::QueuedMessage>([&](sql::Transaction& tx) {
      sql::TenantScope scope(tx, f.tenant);
      return q::load_message(scope, messages[i].envelope.id, {}).value();
    });
    CHECK(loaded.envelope.return_path == messages[i].envelope.return_path);
    CHECK(loaded.envelope.size == texts[i].size());
    CHECK(loaded.envelope.expires_at == messages[i].envelope.expires_at);
    REQUIRE(loaded.recipients.size() == 2);
    CHECK(loaded.recipients[0].address == "a@x.example");
    CHECK(loaded.recipients[1].address == "b@y.example");
  }
}
