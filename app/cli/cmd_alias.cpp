// postern alias add|list|delete
#include <iostream>

#include "app/cli/context.hpp"

namespace postern::cli {

namespace json = boost::json;

void add_alias_verbs(CLI::App& app, Context& context) {
  auto* family =
      app.add_subcommand("alias", "Addresses that lead to other addresses, and catch-alls");
  family->require_subcommand(1);

  struct Values {
    std::string address;
    std::vector<std::string> targets;
  };
  auto values = std::make_shared<Values>();

  auto* add = family->add_subcommand("add", "Lead an address to one or more accounts");
  add->add_option("ADDRESS", values->address,
                  "alias@domain, or *@domain for everything without a mailbox")
      ->required();
  add->add_option("TARGET", values->targets, "where its mail goes")->required();
  add->callback([&context, values] {
    json::array targets;
    for (const auto& target : values->targets) targets.emplace_back(target);
    context.request("POST", "/v1/aliases",
                    json::object{{"address", values->address}, {"targets", targets}},
                    [](const json::value& answer) {
                      std::cout << "alias " << field(answer, "address") << " added\n";
                    });
  });

  auto domain = std::make_shared<std::string>();
  auto* list = family->add_subcommand("list", "Aliases of a domain");
  list->add_option("--domain", *domain, "whose aliases")->required();
  list->callback([&context, domain] {
    context.list("/v1/aliases?domain=" + percent_encode(*domain), {"address", "targets"});
  });

  auto* remove = family->add_subcommand("delete", "Remove an alias");
  remove->add_option("ADDRESS", values->address, "the alias")->required();
  remove->callback([&context, values] {
    context.request("DELETE", "/v1/aliases/" + percent_encode(values->address), nullptr,
                    [](const json::value&) { std::cout << "alias deleted\n"; });
  });
}

}  // namespace postern::cli
