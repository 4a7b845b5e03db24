// postern api METHOD PATH [BODY]: any call of the HTTP API, by whoever may open the management
// socket. What has no verb of its own is reached this way.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <iostream>

#include "app/cli/context.hpp"
#include "core/ascii.hpp"

namespace postern::cli {

namespace json = boost::json;

void add_api_verbs(CLI::App& app, Context& context) {
  struct Values {
    std::string method;
    std::string path;
    std::string body;
  };
  auto values = std::make_shared<Values>();
  auto* api = app.add_subcommand("api", "Any call of the HTTP API (see /v1/reference)");
  api->add_option("METHOD", values->method, "GET, POST, PUT, PATCH or DELETE")->required();
  api->add_option("PATH", values->path, "/v1/roles?tenant=NAME, for instance")->required();
  api->add_option("BODY", values->body, "a JSON object");
  api->callback([&context, values] {
    json::value body;
    if (!values->body.empty()) {
      json::error_code error;
      body = json::parse(values->body, error);
      if (error) {
        context.complain({Errc::invalid, "the body is not JSON: " + error.message()});
        return;
      }
    }
    context.request(
        ascii::to_upper(values->method), values->path, body,
        [](const json::value& answer) { std::cout << json::serialize(answer) << '\n'; });
  });
}

}  // namespace postern::cli
