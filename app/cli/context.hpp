// What every verb of the CLI gets: which server, how to print, and the exit code.
#pragma once

#include <CLI/App.hpp>
#include <boost/json/value.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "app/cli/client.hpp"
#include "config/loader.hpp"
#include "core/result.hpp"

namespace postern::cli {

class Context {
 public:
  std::string config_path;  ///< --config, else POSTERN_CONFIG, else /etc/postern/postern.toml
  bool json = false;        ///< --json
  int exit_code = 0;

  /// The settings of the server that --config names.
  [[nodiscard]] Result<config::Settings> settings() const;
  [[nodiscard]] std::string config_file() const;

  /// Calls the server and prints: with --json the answer as it is, else what `print` says. Errors
  /// go to standard error and set the exit code; then there is no answer.
  std::optional<boost::json::value> request(
      std::string_view method, const std::string& path, const boost::json::value& body,
      const std::function<void(const boost::json::value&)>& print);
  /// A list with all its pages: `path` may hold a query already.
  void list(const std::string& path, const std::vector<std::string>& members);
  /// Prints an error the way every verb does: text, or {"error": "...", "code": "..."} with --json.
  void complain(const Error& error);

 private:
  std::optional<Client> connect();
  void print(const boost::json::value& answer,
             const std::function<void(const boost::json::value&)>& human) const;
};

/// "" when absent or not a string.
std::string field(const boost::json::value& object, std::string_view name);
/// Rows with aligned columns; the first row is the heading.
void print_table(const std::vector<std::vector<std::string>>& rows);
/// The items of a list answer as a table of the named members.
void print_items(const boost::json::value& answer, const std::vector<std::string>& members);
/// A password from standard input (first line), or empty when it is a terminal or has none.
std::string read_password_from_stdin();

// One function a family of verbs; each adds its subcommands (cmd_*.cpp).
void add_server_verbs(CLI::App& app, Context& context);
void add_tenant_verbs(CLI::App& app, Context& context);
void add_domain_verbs(CLI::App& app, Context& context);
void add_account_verbs(CLI::App& app, Context& context);
void add_credential_verbs(CLI::App& app, Context& context);
void add_alias_verbs(CLI::App& app, Context& context);
void add_login_verbs(CLI::App& app, Context& context);
void add_person_verbs(CLI::App& app, Context& context);
void add_key_verbs(CLI::App& app, Context& context);
void add_audit_verbs(CLI::App& app, Context& context);
void add_audit_stream_verbs(CLI::App& audit, Context& context);  // below `audit`
void add_witness_verbs(CLI::App& app, Context& context);
void add_api_verbs(CLI::App& app, Context& context);
void add_queue_verbs(CLI::App& app, Context& context);
void add_message_verbs(CLI::App& app, Context& context);

/// The whole program: parses the command line, runs the verb, gives the exit code.
int run(int argc, char** argv);

}  // namespace postern::cli
