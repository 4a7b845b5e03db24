// postern tenant add|list|show|suspend|resume|delete
#include <iostream>

#include "app/cli/context.hpp"

namespace postern::cli {

namespace json = boost::json;

namespace {

void print_tenant(const json::value& tenant) {
  std::cout << "tenant " << field(tenant, "name") << "\n  id      " << field(tenant, "id")
            << "\n  status  " << field(tenant, "status") << "\n  owner   " << field(tenant, "owner")
            << '\n';
}

void add_act(CLI::App& family, Context& context, const std::string& verb, const std::string& help,
             std::string_view method, const std::string& suffix, const std::string& done) {
  auto name = std::make_shared<std::string>();
  auto* command = family.add_subcommand(verb, help);
  command->add_option("NAME", *name, "the tenant's name or id")->required();
  command->callback([&context, name, method, suffix, done] {
    context.request(
        method, "/v1/tenants/" + percent_encode(*name) + suffix, nullptr,
        [&](const json::value&) { std::cout << "tenant " << *name << ' ' << done << '\n'; });
  });
}

}  // namespace

void add_tenant_verbs(CLI::App& app, Context& context) {
  auto* family = app.add_subcommand("tenant", "Tenants: the customers that share this server");
  family->require_subcommand(1);

  auto name = std::make_shared<std::string>();
  auto* add = family->add_subcommand("add", "Make a tenant");
  add->add_option("NAME", *name, "a short name: letters, digits, '-'")->required();
  add->callback([&context, name] {
    context.request(
        "POST", "/v1/tenants", json::object{{"name", *name}}, [](const json::value& tenant) {
          print_tenant(tenant);
          std::cout << "Next: postern domain add DOMAIN --tenant " << field(tenant, "name") << '\n';
        });
  });

  family->add_subcommand("list", "All tenants")->callback([&context] {
    context.list("/v1/tenants", {"name", "status", "owner", "id"});
  });

  auto shown = std::make_shared<std::string>();
  auto* show = family->add_subcommand("show", "One tenant");
  show->add_option("NAME", *shown, "the tenant's name or id")->required();
  show->callback([&context, shown] {
    context.request("GET", "/v1/tenants/" + percent_encode(*shown), nullptr, print_tenant);
  });

  add_act(*family, context, "suspend", "Refuse the tenant's logins and mail until resumed", "POST",
          "/suspend", "suspended");
  add_act(*family, context, "resume", "End a suspension", "POST", "/resume", "resumed");
  add_act(*family, context, "delete", "Delete a tenant that has no domains left", "DELETE", "",
          "deleted");
}

}  // namespace postern::cli
