#include "app/cli/offline_queue.hpp"

#include <boost/json/serialize.hpp>
#include <filesystem>
#include <iostream>

#include "smtp/queue/management.hpp"
#include "smtp/queue/schema.hpp"
#include "storage/database.hpp"
#include "storage/schema.hpp"
#include "web/api/mail/queue_json.hpp"

namespace postern::cli {

namespace {

Result<boost::json::value> read_queue(const std::string& data, std::size_t limit) {
  const auto path = std::filesystem::path(data) / "queue.db";
  if (!std::filesystem::exists(path)) {
    return fail(Errc::not_found,
                path.string() + " doesn't exist: --data names a server's data directory");
  }
  storage::Database::Options options;
  options.path = path.string();
  options.schemas = {storage::body_schema(), storage::outbox_schema(), smtp::queue::queue_schema()};
  auto database = storage::Database::open_read_only(std::move(options));
  if (!database) return std::unexpected(database.error());
  auto page = (*database)->read_blocking<smtp::queue::ListPage>(
      [limit](sql::Transaction& tx) { return smtp::queue::list(tx, {}, std::nullopt, limit); });
  if (!page) return std::unexpected(page.error());
  return boost::json::value(web::api::to_json(*page));
}

}  // namespace

void list_queue_offline(Context& context, const std::string& data, std::size_t limit,
                        const std::function<void(const boost::json::value&)>& print) {
  const auto answer = read_queue(data, limit);
  if (!answer) {
    context.complain(answer.error());
  } else if (context.json) {
    std::cout << boost::json::serialize(*answer) << '\n';
  } else {
    print(*answer);
  }
}

}  // namespace postern::cli
