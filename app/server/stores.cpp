#include "app/server/stores.hpp"

#include "accounts/audit/schema.hpp"
#include "accounts/schema.hpp"
#include "mailbox/schema.hpp"
#include "smtp/queue/event_log.hpp"
#include "smtp/queue/schema.hpp"

namespace postern::server {

Result<std::unique_ptr<storage::Store>> open_store(const config::Settings& settings) {
  storage::Store::Options options;
  options.directory = settings.data.string();
  options.mail_shards = static_cast<std::size_t>(settings.storage.shards);
  options.readers_per_file = static_cast<std::size_t>(settings.storage.readers);
  options.queue_limit = static_cast<std::size_t>(settings.storage.queue);
  options.disk_reserve = settings.storage.disk_reserve.bytes;
  options.control = {accounts::schema(), accounts::audit::schema()};
  options.queue = {smtp::queue::queue_schema()};
  options.mail = {mailbox::mail_schema()};
  options.events = {smtp::queue::event_schema()};
  return storage::Store::open(std::move(options));
}

}  // namespace postern::server
