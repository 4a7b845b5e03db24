// /v1/backup
#include <filesystem>

#include "web/api/handlers.hpp"
#include "web/api/support.hpp"

namespace postern::web::api {

namespace json = boost::json;

Task<Response> make_backup(Call& call) {
  const auto directory = call.text("directory");
  if (!std::filesystem::path(directory).is_absolute()) {
    co_return problem(400, "Invalid request", "\"directory\" must be an absolute path",
                      "directory");
  }
  auto copied = co_await call.services.workers->run<void>(
      [store = call.services.store, to = directory] { return store->backup_to(to); });
  if (!copied) co_return problem(copied.error());
  auto entered = co_await call.change<void>([directory](accounts::Reach& reach) -> Result<void> {
    reach.set_target("directory:" + directory);
    return {};
  });
  if (!entered) co_return problem(entered.error());
  co_return json_response(json::object{{"directory", directory}}, 201);
}

}  // namespace postern::web::api
