#include <CLI/CLI.hpp>
#include <algorithm>
#include <span>

#include "app/cli/context.hpp"
#include "core/log.hpp"

namespace postern::cli {

using namespace std::string_view_literals;

int run(int argc, char** argv) {
  // Verbs speak for themselves; `serve` sets the log up as its settings say.
  if (const auto logs = log::configure(log::Level::warn, log::Format::text, {}); !logs) return 1;
  Context context;
  CLI::App app("Postern: a hosted, multi-tenant mail and notification server");
  app.set_version_flag("--version", "postern " POSTERN_VERSION);
  app.require_subcommand(1);
  app.fallthrough();  // --json and --config may stand after the verb
  app.add_option("--config", context.config_path,
                 "the server's settings (else POSTERN_CONFIG, else /etc/postern/postern.toml)");
  app.add_flag("--json", context.json, "print the answer as JSON");
  add_server_verbs(app, context);
  add_tenant_verbs(app, context);
  add_domain_verbs(app, context);
  add_account_verbs(app, context);
  add_credential_verbs(app, context);
  add_alias_verbs(app, context);
  add_login_verbs(app, context);
  add_person_verbs(app, context);
  add_key_verbs(app, context);
  add_audit_verbs(app, context);
  add_witness_verbs(app, context);
  add_queue_verbs(app, context);
  add_message_verbs(app, context);
  add_api_verbs(app, context);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) return app.exit(error);
    const std::span<char*> words(argv, static_cast<std::size_t>(argc));
    context.json = std::ranges::any_of(words, [](const char* word) { return "--json"sv == word; });
    context.complain({Errc::invalid, std::string(error.what()) + "\nSee postern --help."});
  }
  return context.exit_code;
}

}  // namespace postern::cli
