// postern domain add|list|show|check|delete
#include <iostream>

#include "app/cli/context.hpp"

namespace postern::cli {

namespace json = boost::json;

namespace {

// The form of a zone file (RFC 1035 §5.1), so that it can be pasted into one.
void print_records(const json::value& domain) {
  for (const auto& record : domain.at("records").as_array()) {
    std::cout << field(record, "name") << ' ' << field(record, "ttl") << " IN "
              << field(record, "type") << ' ' << field(record, "zone_value") << '\n';
  }
}

void print_added(const json::value& domain) {
  std::cout << "; domain " << field(domain, "domain") << " of tenant " << field(domain, "tenant")
            << (field(domain, "status") == "pending" ? " (pending until DNS proves it)" : "")
            << ". Publish these records:\n";
  print_records(domain);
  std::cout << "; Then: postern domain check " << field(domain, "domain") << '\n';
}

void print_check(const json::value& answer) {
  std::vector<std::vector<std::string>> rows{{"STATUS", "TYPE", "NAME", "WANTED", "FOUND"}};
  for (const auto& record : answer.at("records").as_array()) {
    rows.push_back({field(record, "status"), field(record, "type"), field(record, "name"),
                    field(record, "value").substr(0, 60), field(record, "found").substr(0, 60)});
  }
  print_table(rows);
}

}  // namespace

void add_domain_verbs(CLI::App& app, Context& context) {
  auto* family = app.add_subcommand("domain", "Domains and the DNS records they need");
  family->require_subcommand(1);

  auto added = std::make_shared<std::pair<std::string, std::string>>();
  auto* add = family->add_subcommand(
      "add", "Host a domain for a tenant; makes its DKIM keys, prints its DNS records");
  add->add_option("DOMAIN", added->first, "the domain name")->required();
  add->add_option("--tenant", added->second, "whose domain it is")->required();
  add->callback([&context, added] {
    context.request("POST", "/v1/domains",
                    json::object{{"domain", added->first}, {"tenant", added->second}}, print_added);
  });

  auto tenant = std::make_shared<std::string>();
  auto* list = family->add_subcommand("list", "Domains, of all tenants or of one");
  list->add_option("--tenant", *tenant, "only this tenant's");
  list->callback([&context, tenant] {
    const std::string query = tenant->empty() ? "" : "?tenant=" + percent_encode(*tenant);
    context.list("/v1/domains" + query, {"domain", "tenant", "status", "drifted"});
  });

  const auto one = [&](const std::string& verb, const std::string& help, std::string_view method,
                       const std::string& suffix, std::function<void(const json::value&)> print) {
    auto name = std::make_shared<std::string>();
    auto* command = family->add_subcommand(verb, help);
    command->add_option("DOMAIN", *name, "the domain name")->required();
    command->callback([&context, name, method, suffix, print = std::move(print)] {
      const auto answer =
          context.request(method, "/v1/domains/" + percent_encode(*name) + suffix, nullptr, print);
      if (answer && field(*answer, "ok") == "false") context.exit_code = 1;
    });
  };
  one("show", "One domain and its DNS records", "GET", "", print_added);
  one("check", "Look the records up and say which are missing (exit code 1 when any is)", "POST",
      "/check", print_check);
  one("delete", "Stop hosting a domain that has no accounts left", "DELETE", "",
      [](const json::value&) { std::cout << "domain deleted\n"; });
}

}  // namespace postern::cli
