// postern account add|list|show|password|suspend|resume|delete
#include <iostream>

#include "app/cli/context.hpp"

namespace postern::cli {

namespace json = boost::json;

namespace {

void print_account(const json::value& account) {
  std::cout << "account " << field(account, "address") << "\n  tenant    "
            << field(account, "tenant") << "\n  status    " << field(account, "status") << '\n';
  if (const auto password = field(account, "password"); !password.empty()) {
    std::cout << "  password  " << password << "\nThis password is shown once.\n";
  }
}

// A password comes from standard input; an empty one asks the server to make it.
json::object with_password(json::object body, bool generate) {
  const std::string password = generate ? std::string() : read_password_from_stdin();
  if (!password.empty()) body["password"] = password;
  return body;
}

}  // namespace

void add_account_verbs(CLI::App& app, Context& context) {
  auto* family = app.add_subcommand("account", "Mailbox accounts: addresses that log in");
  family->require_subcommand(1);

  struct Add {
    std::string address;
    bool generate = false;
  };
  const auto password_verb = [&](const std::string& verb, const std::string& help,
                                 auto path_and_body) {
    auto values = std::make_shared<Add>();
    auto* command = family->add_subcommand(verb, help);
    command->add_option("ADDRESS", values->address, "user@domain")->required();
    command->add_flag("--generate", values->generate,
                      "make a password even if standard input has one");
    command->callback([&context, values, path_and_body] {
      auto [path, body] = path_and_body(values->address);
      context.request("POST", path, with_password(std::move(body), values->generate),
                      print_account);
    });
  };
  password_verb(
      "add", "Make an account; the password is read from standard input, or made and printed once",
      [](const std::string& address) {
        return std::pair<std::string, json::object>{"/v1/accounts", {{"address", address}}};
      });
  password_verb("password", "Set a new password, from standard input or made and printed once",
                [](const std::string& address) {
                  return std::pair<std::string, json::object>{
                      "/v1/accounts/" + percent_encode(address) + "/password", {}};
                });

  auto domain = std::make_shared<std::string>();
  auto* list = family->add_subcommand("list", "Accounts of a domain");
  list->add_option("--domain", *domain, "whose accounts")->required();
  list->callback([&context, domain] {
    context.list("/v1/accounts?domain=" + percent_encode(*domain), {"address", "status", "id"});
  });

  const auto one = [&](const std::string& verb, const std::string& help, std::string_view method,
                       const std::string& suffix, std::function<void(const json::value&)> print) {
    auto address = std::make_shared<std::string>();
    auto* command = family->add_subcommand(verb, help);
    command->add_option("ADDRESS", *address, "user@domain")->required();
    command->callback([&context, address, method, suffix, print = std::move(print)] {
      context.request(method, "/v1/accounts/" + percent_encode(*address) + suffix, nullptr, print);
    });
  };
  one("show", "One account", "GET", "", print_account);
  one("suspend", "Refuse the account's logins and sending until resumed", "POST", "/suspend",
      print_account);
  one("resume", "End a suspension", "POST", "/resume", print_account);
  one("delete", "Delete an account and its credentials", "DELETE", "",
      [](const json::value&) { std::cout << "account deleted\n"; });

  struct Grant {
    std::string address;
    std::string domain;
  };
  auto grant = std::make_shared<Grant>();
  const auto print_grants = [](const json::value& answer) {
    print_items(answer, {"address", "domain"});
  };
  const auto grants_path = [](const Grant& g) {
    return "/v1/accounts/" + percent_encode(g.address) + "/grants";
  };
  auto* give = family->add_subcommand("grant", "Let an account send as every address of a domain");
  give->add_option("ADDRESS", grant->address, "user@domain")->required();
  give->add_option("DOMAIN", grant->domain, "a domain of the same tenant")->required();
  give->callback([&context, grant, grants_path, print_grants] {
    context.request("POST", grants_path(*grant), json::object{{"domain", grant->domain}},
                    print_grants);
  });
  auto* show_grants = family->add_subcommand("grants", "Domains that an account may send as");
  show_grants->add_option("ADDRESS", grant->address, "user@domain")->required();
  show_grants->callback([&context, grant, grants_path, print_grants] {
    context.request("GET", grants_path(*grant), nullptr, print_grants);
  });
  auto* end = family->add_subcommand("revoke-grant", "End a grant");
  end->add_option("ADDRESS", grant->address, "user@domain")->required();
  end->add_option("DOMAIN", grant->domain, "the domain")->required();
  end->callback([&context, grant, grants_path, print_grants] {
    context.request("DELETE", grants_path(*grant) + "/" + percent_encode(grant->domain), nullptr,
                    print_grants);
  });
}

}  // namespace postern::cli
