// postern person add|list|show|update|remove, postern operator add|list|remove
#include <iostream>

#include "app/cli/context.hpp"

namespace postern::cli {

namespace json = boost::json;

namespace {

struct Values {
  std::string email;
  std::string name;
  std::string tenant;
  std::string role;
  std::vector<std::string> domains;
  std::vector<std::string> accounts;
  bool break_glass = false;
};

json::array list_of(const std::vector<std::string>& texts) {
  json::array array;
  for (const auto& text : texts) array.emplace_back(text);
  return array;
}

void print_person(const json::value& person) {
  std::cout << "person " << field(person, "email") << "\n  id        " << field(person, "person")
            << "\n  role      " << field(person, "role") << "\n  domains   "
            << field(person, "domains") << "\n  accounts  " << field(person, "accounts") << '\n';
}

void print_added(const json::value& person) {
  print_person(person);
  std::cout << "sign-in link, good once and for seven days:\n"
            << field(person, "sign_in_link") << '\n';
}

void print_operator(const json::value& person) {
  std::cout << "operator " << field(person, "email") << '\n';
  if (const auto link = field(person, "sign_in_link"); !link.empty())
    std::cout << "sign-in link, good once and for seven days:\n" << link << '\n';
  if (const auto password = field(person, "password"); !password.empty())
    std::cout << "password, shown this once (keep it sealed): " << password << '\n';
}

std::string in_tenant(const std::string& tenant) {
  return tenant.empty() ? "" : "?tenant=" + percent_encode(tenant);
}

void add_narrowing(CLI::App& command, Values& values) {
  command.add_option("--domain", values.domains, "only this domain; may be repeated");
  command.add_option("--account", values.accounts, "only this mailbox; may be repeated");
}

void add_add(CLI::App& family, Context& context) {
  auto values = std::make_shared<Values>();
  auto* add = family.add_subcommand("add", "A console login; prints a one-time sign-in link");
  add->add_option("EMAIL", values->email, "the person's address")->required();
  add->add_option("--tenant", values->tenant, "where the person belongs")->required();
  add->add_option("--role", values->role,
                  "owner, admin, editor, viewer, postmaster, or a custom role's id")
      ->required();
  add->add_option("--name", values->name, "for people to read");
  add_narrowing(*add, *values);
  add->callback([&context, values] {
    context.request("POST", "/v1/people",
                    json::object{{"email", values->email},
                                 {"name", values->name},
                                 {"tenant", values->tenant},
                                 {"role", values->role},
                                 {"domains", list_of(values->domains)},
                                 {"accounts", list_of(values->accounts)}},
                    print_added);
  });
}

void add_update(CLI::App& family, Context& context) {
  auto values = std::make_shared<Values>();
  auto* update = family.add_subcommand("update", "Change a person's role, or what they reach");
  update->add_option("EMAIL", values->email, "the person's address")->required();
  update->add_option("--tenant", values->tenant, "in which tenant")->required();
  update->add_option("--role", values->role, "the new role");
  add_narrowing(*update, *values);
  update->callback([&context, values] {
    json::object body;
    if (!values->role.empty()) body["role"] = values->role;
    if (!values->domains.empty() || !values->accounts.empty()) {
      body["domains"] = list_of(values->domains);
      body["accounts"] = list_of(values->accounts);
    }
    context.request("PATCH",
                    "/v1/people/" + percent_encode(values->email) + in_tenant(values->tenant), body,
                    print_person);
  });
}

void add_operator_verbs(CLI::App& app, Context& context) {
  auto* family = app.add_subcommand("operator", "People who run the platform over HTTP");
  family->require_subcommand(1);

  auto values = std::make_shared<Values>();
  auto* add = family->add_subcommand("add", "Make an operator; prints a one-time sign-in link");
  add->add_option("EMAIL", values->email, "the person's address")->required();
  add->add_option("--name", values->name, "for people to read");
  add->add_flag("--break-glass", values->break_glass,
                "an account for emergencies, with a password that is printed once");
  add->callback([&context, values] {
    context.request(
        "POST", "/v1/operators",
        json::object{
            {"email", values->email}, {"name", values->name}, {"break_glass", values->break_glass}},
        print_operator);
  });
  family->add_subcommand("list", "The operators")->callback([&context] {
    context.list("/v1/operators", {"email", "name", "break_glass", "last_sign_in_at"});
  });
  auto removed = std::make_shared<std::string>();
  auto* remove = family->add_subcommand("remove", "End an operator's rights");
  remove->add_option("EMAIL", *removed, "the person's address")->required();
  remove->callback([&context, removed] {
    context.request("DELETE", "/v1/operators/" + percent_encode(*removed), nullptr,
                    [](const json::value&) { std::cout << "operator removed\n"; });
  });
}

}  // namespace

void add_person_verbs(CLI::App& app, Context& context) {
  auto* family = app.add_subcommand("person", "People who sign in to the console, and their roles");
  family->require_subcommand(1);
  add_add(*family, context);
  add_update(*family, context);

  auto tenant = std::make_shared<std::string>();
  auto* list = family->add_subcommand("list", "Who belongs to a tenant");
  list->add_option("--tenant", *tenant, "which tenant")->required();
  list->callback([&context, tenant] {
    context.list("/v1/people" + in_tenant(*tenant), {"email", "name", "role", "owner", "person"});
  });

  auto values = std::make_shared<Values>();
  const auto named = [&](const std::string& verb, const std::string& help) {
    auto* command = family->add_subcommand(verb, help);
    command->add_option("EMAIL", values->email, "the person's address")->required();
    command->add_option("--tenant", values->tenant, "in which tenant")->required();
    return command;
  };
  const auto path = [values] {
    return "/v1/people/" + percent_encode(values->email) + in_tenant(values->tenant);
  };
  named("show", "One of them")->callback([&context, path] {
    context.request("GET", path(), nullptr, print_person);
  });
  named("remove", "Take somebody out of a tenant")->callback([&context, path] {
    context.request("DELETE", path(), nullptr,
                    [](const json::value&) { std::cout << "person removed\n"; });
  });
  add_operator_verbs(app, context);
}

}  // namespace postern::cli
