// /v1/backup
#include <filesystem>

#include "web/api/handlers.hpp"
#include "web/api/support.hpp"

namespace postern::web::api {

namespace json = boost::json;

Task<Response> make_backup(Services& services, Request request) {
  auto directory = string_member(request, "directory", 4096);
  if (!directory) co_return directory.error();
  if (!std::filesystem::path(*directory).is_absolute()) {
    co_return problem(400, "Invalid request", "\"directory\" must be an absolute path",
                      "directory");
  }
  auto copied = co_await services.workers->run<void>(
      [store = services.store, to = *directory] { return store->backup_to(to); });
  if (!copied) co_return problem(copied.error());
  co_return json_response(json::object{{"directory", *directory}}, 201);
}

}  // namespace postern::web::api
