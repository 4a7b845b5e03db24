// A queue.db of its own, a tenant with a key, and messages to put into it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "smtp/queue/management.hpp"
#include "smtp/queue/repository.hpp"
#include "smtp/queue/schema.hpp"
#include "storage/database.hpp"
#include "storage/schema.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/temp_directory.hpp"

namespace postern::test {

namespace q = postern::smtp::queue;

class QueueFixture {
 public:
  static constexpr std::size_t kToday = SIZE_MAX;

  /// With the first `migrations` of each schema.
  explicit QueueFixture(std::size_t migrations = kToday) {
    key = std::make_shared<storage::DataKey>(tenant, std::string(32, 'k'));
    reopen(migrations);
  }

  /// As after a crash: nothing but the file is left.
  void reopen(std::size_t migrations = kToday) {
    db.reset();
    storage::Database::Options options;
    options.path = directory.file("queue.db");
    options.schemas = {storage::body_schema(), storage::outbox_schema(), q::queue_schema()};
    for (auto& schema : options.schemas) {
      schema.migrations = schema.migrations.first(std::min(migrations, schema.migrations.size()));
    }
    options.backup_directory = directory.path().string();
    auto opened = storage::Database::open(std::move(options));
    if (!opened) throw std::runtime_error(opened.error().message);
    db = std::move(*opened);
  }

  q::NewMessage message(const std::vector<std::string>& recipients,
                        const std::string& text = "Subject: hello\r\n\r\nbody\r\n") {
    q::NewMessage out;
    out.envelope.tenant = tenant;
    out.envelope.id = MessageId::make();
    out.envelope.return_path = "sender@our.example";
    out.envelope.created_at = clock.now();
    out.envelope.expires_at = clock.now() + std::chrono::days{5};
    out.envelope.origin = "test";
    for (const auto& address : recipients) {
      q::NewRecipient recipient;
      recipient.address = address;
      out.recipients.push_back(std::move(recipient));
    }
    out.body = std::make_shared<const storage::SealedBody>(
        storage::seal_body(*key, ObjectId::make(), text));
    return out;
  }

  template <class Fn>
  auto write(Fn fn) {
    using R = decltype(fn(std::declval<sql::Transaction&>()));
    using T = typename R::value_type;
    return db->write_blocking<T>(storage::Purpose::outcome,
                                 storage::Database::Closure<T>(std::move(fn)));
  }
  template <class T, class Fn>
  T read(Fn fn) {
    auto value = db->read_blocking<T>(
        storage::Database::Closure<T>([fn](sql::Transaction& tx) -> Result<T> { return fn(tx); }));
    if (!value) throw std::runtime_error(value.error().message);
    return std::move(*value);
  }

  q::Enqueued put(const q::NewMessage& what) {
    auto done = write([what](sql::Transaction& tx) { return q::enqueue(tx, what); });
    if (!done) throw std::runtime_error(done.error().message);
    return *done;
  }
  std::vector<q::DueRow> due(Lane lane = Lane::transactional, std::size_t limit = 1000) {
    return read<std::vector<q::DueRow>>([lane, limit, now = clock.now()](sql::Transaction& tx) {
      return q::due_rows(tx, lane, {}, now, limit);
    });
  }
  Result<q::QueuedMessage> load(MessageId id) {
    return db->read_blocking<q::QueuedMessage>([id, t = tenant](sql::Transaction& tx) {
      sql::TenantScope scope(tx, t);
      return q::load_message(scope, id, {});
    });
  }
  std::int64_t bodies() {
    return read<std::int64_t>([t = tenant](sql::Transaction& tx) {
      sql::TenantScope scope(tx, t);
      auto row = scope.prepare("SELECT COUNT(object_id) FROM bodies WHERE tenant_id = :tenant");
      return row.step() ? row.integer(0) : -1;
    });
  }

  TempDirectory directory;
  FakeClock clock;
  TenantId tenant = TenantId::make();
  std::shared_ptr<const storage::DataKey> key;
  std::unique_ptr<storage::Database> db;
};

inline q::Outcome outcome(std::uint32_t recipient, q::State state, Timestamp at) {
  q::Outcome out;
  out.recipient = recipient;
  out.state = state;
  out.attempts = 1;
  out.at = at;
  out.reply = q::make_reply(state == q::State::delivered ? 250 : 550, {}, "text");
  return out;
}

}  // namespace postern::test
