// postern login blocks|unblock
#include <iostream>

#include "app/cli/context.hpp"

namespace postern::cli {

namespace json = boost::json;

void add_login_verbs(CLI::App& app, Context& context) {
  auto* family = app.add_subcommand("login", "Logins that are shut out for guessing passwords");
  family->require_subcommand(1);

  family->add_subcommand("blocks", "Who is shut out, and until when")->callback([&context] {
    context.list("/v1/login-blocks", {"login", "network", "until"});
  });

  auto name = std::make_shared<std::string>();
  auto* unblock = family->add_subcommand("unblock", "Let a login or a network in again");
  unblock->add_option("NAME", *name, "a login, or a network as `login blocks` writes it")
      ->required();
  unblock->callback([&context, name] {
    context.request("DELETE", "/v1/login-blocks/" + percent_encode(*name), nullptr,
                    [name](const json::value&) { std::cout << *name << " is let in again\n"; });
  });
}

}  // namespace postern::cli
