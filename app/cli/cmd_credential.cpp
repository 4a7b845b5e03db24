// postern credential add|list|revoke: app passwords
#include <iostream>

#include "app/cli/context.hpp"

namespace postern::cli {

namespace json = boost::json;

void add_credential_verbs(CLI::App& app, Context& context) {
  auto* family = app.add_subcommand("credential", "App passwords for SMTP and IMAP");
  family->require_subcommand(1);

  struct Values {
    std::string address;
    std::string label;
    std::string id;
  };
  auto values = std::make_shared<Values>();
  const auto path = [](const Values& v) {
    return "/v1/accounts/" + percent_encode(v.address) + "/credentials";
  };

  auto* add = family->add_subcommand("add", "Make an app password; it is printed once");
  add->add_option("ADDRESS", values->address, "user@domain")->required();
  add->add_option("--label", values->label, "what it is for: \"phone\", \"backup script\"")
      ->required();
  add->callback([&context, values, path] {
    context.request("POST", path(*values), json::object{{"label", values->label}},
                    [](const json::value& answer) {
                      std::cout << "app password \"" << field(answer, "label") << "\" for "
                                << field(answer, "address") << "\n  password  "
                                << field(answer, "password") << "\n  id        "
                                << field(answer, "id") << "\nThis password is shown once.\n";
                    });
  });

  auto* list =
      family->add_subcommand("list", "An account's app passwords and when each was last used");
  list->add_option("ADDRESS", values->address, "user@domain")->required();
  list->callback([&context, values, path] {
    context.request("GET", path(*values), nullptr, [](const json::value& answer) {
      print_items(answer, {"id", "kind", "label", "created_at", "last_used_at", "status"});
    });
  });

  auto* revoke = family->add_subcommand("revoke", "End an app password at once");
  revoke->add_option("ADDRESS", values->address, "user@domain")->required();
  revoke->add_option("ID", values->id, "from `credential list`")->required();
  revoke->callback([&context, values, path] {
    context.request("DELETE", path(*values) + "/" + percent_encode(values->id), nullptr,
                    [](const json::value&) { std::cout << "app password revoked\n"; });
  });
}

}  // namespace postern::cli
