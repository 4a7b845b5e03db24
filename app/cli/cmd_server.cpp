// postern init|serve|status: verbs about the server itself
#include <unistd.h>

#include <boost/json/serialize.hpp>
#include <iostream>

#include "app/cli/context.hpp"
#include "app/server/init.hpp"
#include "app/server/server.hpp"

namespace postern::cli {

namespace json = boost::json;

namespace {

std::string host_name() {
  char name[256] = {};
  if (::gethostname(name, sizeof name - 1) != 0 || name[0] == '\0') return "localhost.localdomain";
  const std::string text = name;
  return text.find('.') == std::string::npos ? text + ".localdomain" : text;
}

void add_init(CLI::App& app, Context& context) {
  struct Values {
    std::string data;
    std::string hostname = host_name();
    std::string profile = "local";
  };
  auto values = std::make_shared<Values>();
  auto* init =
      app.add_subcommand("init", "Make a data directory: settings, keys, certificate, databases");
  init->add_option("--data", values->data, "a directory that doesn't exist yet, or is empty")
      ->required();
  init->add_option("--hostname", values->hostname,
                   "the server's name: in its MX record, banner and certificate");
  init->add_option("--profile", values->profile,
                   "listeners: local (unprivileged ports on loopback) or public")
      ->check(CLI::IsMember({"local", "public"}));
  init->callback([&context, values] {
    server::InitOptions options{
        values->data, values->hostname,
        values->profile == "public" ? server::Profile::public_ : server::Profile::local};
    const auto made = server::initialise(options);
    if (!made) {
      context.complain(made.error());
      return;
    }
    const std::string file =
        (std::filesystem::absolute(values->data) / "postern.toml").lexically_normal().string();
    if (context.json) {
      std::cout << "{\"config\":" << json::serialize(json::value(file)) << "}\n";
      return;
    }
    std::cout << "Made " << values->data
              << ". Keep master.key safe: without it the mail can't be read.\n"
              << "Next: postern serve --config " << file << "\nThen: export POSTERN_CONFIG=" << file
              << "\n      postern tenant add NAME\n";
  });
}

}  // namespace

void add_server_verbs(CLI::App& app, Context& context) {
  add_init(app, context);
  app.add_subcommand("serve", "Run the server in the foreground; SIGTERM drains, SIGHUP reloads")
      ->callback([&context] {
        const auto served = server::serve(context.config_file());
        if (!served) context.complain(served.error());
      });
  app.add_subcommand("status", "Whether the server runs, and its version")->callback([&context] {
    context.request("GET", "/v1/status", nullptr, [](const json::value& status) {
      std::cout << "postern " << field(status, "version") << " at " << field(status, "hostname")
                << ": " << (field(status, "ready") == "true" ? "ready" : "not ready") << '\n';
    });
  });
  auto directory = std::make_shared<std::string>();
  auto* backup = app.add_subcommand(
      "backup", "Copy all databases as they are at one moment, while the server runs");
  backup->add_option("DIRECTORY", *directory, "a directory that doesn't exist yet, or is empty")
      ->required();
  backup->callback([&context, directory] {
    const auto path = std::filesystem::absolute(*directory).lexically_normal().string();
    context.request("POST", "/v1/backup", json::object{{"directory", path}},
                    [](const json::value& answer) {
                      std::cout << "databases copied to " << field(answer, "directory")
                                << "\nKeep master.key, postern.toml and tls/ with them, the key "
                                   "apart from the rest.\n";
                    });
  });
}

}  // namespace postern::cli
