#include <CLI/CLI.hpp>

#include "app/cli/context.hpp"
#include "core/log.hpp"

namespace postern::cli {

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
  add_queue_verbs(app, context);
  CLI11_PARSE(app, argc, argv);
  return context.exit_code;
}

}  // namespace postern::cli
