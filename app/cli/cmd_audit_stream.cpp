// postern audit stream show|set|remove
#include <fstream>
#include <iostream>

#include "app/cli/context.hpp"
#include "core/ascii.hpp"
#include "core/crypto.hpp"

namespace postern::cli {

namespace json = boost::json;

namespace {

struct Values {
  std::string tenant;
  std::string url;
  std::string secret_file;
  std::int64_t after = -1;
};

std::string path_of(const Values& values) {
  if (values.tenant.empty()) return "/v1/platform/audit/stream";
  return "/v1/audit/stream?tenant=" + percent_encode(values.tenant);
}

void print_stream(const json::value& stream) {
  std::cout << "to         " << field(stream, "destination") << "\nstate      "
            << field(stream, "state") << "\nlast       record " << field(stream, "last")
            << "\nwaiting    " << field(stream, "waiting") << "\ndelivered  "
            << field(stream, "delivered") << "\nskipped    " << field(stream, "skipped") << '\n';
  if (const auto since = field(stream, "failing_since"); !since.empty()) {
    std::cout << "failing    since " << since << ": " << field(stream, "last_error")
              << "\nnext try   " << field(stream, "retry_at") << '\n';
  }
}

/// The file's first line.
Result<std::string> read_secret(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!file || !std::getline(file, line)) {
    return fail(Errc::io, "there is no secret to read in " + path);
  }
  return std::string(ascii::trim(line));
}

void set(Context& context, const Values& values) {
  json::object body{{"url", values.url}};
  if (!values.secret_file.empty()) {
    auto secret = read_secret(values.secret_file);
    if (!secret) return context.complain(secret.error());
    body["secret"] = *secret;
    crypto::wipe(*secret);
  }
  if (values.after >= 0) body["after"] = values.after;
  context.request("PUT", path_of(values), body, print_stream);
}

}  // namespace

void add_audit_stream_verbs(CLI::App& audit, Context& context) {
  auto* family = audit.add_subcommand("stream", "Send a trail on as it grows: HTTPS or syslog");
  family->require_subcommand(1);
  auto values = std::make_shared<Values>();
  const auto verb = [&](const std::string& name, const std::string& help) {
    auto* command = family->add_subcommand(name, help);
    command->add_option("--tenant", values->tenant, "whose trail; without it the platform's");
    return command;
  };
  verb("show", "Where to, and how far it has come")->callback([&context, values] {
    context.request("GET", path_of(*values), nullptr, print_stream);
  });
  auto* command = verb("set", "Send it to URL from now on");
  command->add_option("URL", values->url, "https://host/path, or syslog+tls://host:6514")
      ->required();
  command->add_option("--secret-file", values->secret_file,
                      "a file whose first line an https URL gets as a bearer token");
  command
      ->add_option(
          "--after", values->after,
          "begin behind this record; 0: with the oldest that is kept, but not further back "
          "than audit.stream_backlog")
      ->check(CLI::NonNegativeNumber);
  command->callback([&context, values] { set(context, *values); });
  verb("remove", "End that")->callback([&context, values] {
    context.request("DELETE", path_of(*values), nullptr,
                    [](const json::value&) { std::cout << "the trail is no longer streamed\n"; });
  });
}

}  // namespace postern::cli
