// postern key add|list|show|rotate|revoke
#include <iostream>

#include "app/cli/context.hpp"

namespace postern::cli {

namespace json = boost::json;

namespace {

struct Values {
  std::string tenant;
  std::string label = "key";
  std::vector<std::string> scopes;
  std::vector<std::string> domains;
  std::vector<std::string> accounts;
  std::vector<std::string> addresses;
  std::string expires;
  std::int64_t reads = 0;
  std::int64_t writes = 0;
  std::int64_t cap = 0;
};

json::array list_of(const std::vector<std::string>& texts) {
  json::array array;
  for (const auto& text : texts) array.emplace_back(text);
  return array;
}

void print_key(const json::value& key) {
  std::cout << "key " << field(key, "label") << "\n  id      " << field(key, "id") << "\n  scopes  "
            << field(key, "scopes") << "\n  status  " << field(key, "status") << '\n';
  if (const auto used = field(key, "last_used_at"); !used.empty())
    std::cout << "  used    " << used << " from " << field(key, "last_used_address") << '\n';
  if (const auto secret = field(key, "key"); !secret.empty())
    std::cout << "the key, shown this once:\n" << secret << '\n';
}

json::object body_of(const Values& values) {
  json::object body{{"tenant", values.tenant},
                    {"label", values.label},
                    {"scopes", list_of(values.scopes)},
                    {"domains", list_of(values.domains)},
                    {"accounts", list_of(values.accounts)},
                    {"addresses", list_of(values.addresses)}};
  if (!values.expires.empty()) body["expires_at"] = values.expires;
  if (values.reads > 0) body["reads_per_minute"] = values.reads;
  if (values.writes > 0) body["writes_per_minute"] = values.writes;
  if (values.cap > 0) body["monthly_cap"] = values.cap;
  return body;
}

void add_add(CLI::App& family, Context& context) {
  auto values = std::make_shared<Values>();
  auto* add = family.add_subcommand("add", "Make an API key; printed once");
  add->add_option("--tenant", values->tenant, "whose key")->required();
  add->add_option("--scope", values->scopes,
                  "a permission such as message.send or domain.*; may be repeated")
      ->required();
  add->add_option("--label", values->label, "which program will use it");
  add->add_option("--domain", values->domains, "only this domain; may be repeated");
  add->add_option("--account", values->accounts, "only this mailbox; may be repeated");
  add->add_option("--address", values->addresses,
                  "only from this network (192.0.2.0/24); may be repeated");
  add->add_option("--expires", values->expires, "a time such as 2027-01-31T00:00:00Z");
  add->add_option("--reads-per-minute", values->reads, "instead of the server's default");
  add->add_option("--writes-per-minute", values->writes, "instead of the server's default");
  add->add_option("--monthly-cap", values->cap, "requests a calendar month");
  add->callback(
      [&context, values] { context.request("POST", "/v1/keys", body_of(*values), print_key); });
}

}  // namespace

void add_key_verbs(CLI::App& app, Context& context) {
  auto* family = app.add_subcommand("key", "API keys: how programs come in");
  family->require_subcommand(1);
  add_add(*family, context);

  auto tenant = std::make_shared<std::string>();
  auto id = std::make_shared<std::string>();
  const auto in_tenant = [tenant](const std::string& path) {
    return path + "?tenant=" + percent_encode(*tenant);
  };
  auto* list = family->add_subcommand("list", "A tenant's keys");
  list->add_option("--tenant", *tenant, "which tenant")->required();
  list->callback([&context, in_tenant] {
    context.list(in_tenant("/v1/keys"),
                 {"id", "label", "prefix", "status", "scopes", "last_used_at"});
  });
  const auto named = [&](const std::string& verb, const std::string& help) {
    auto* command = family->add_subcommand(verb, help);
    command->add_option("ID", *id, "from `key list`")->required();
    command->add_option("--tenant", *tenant, "whose key")->required();
    return command;
  };
  named("show", "One key, with its use")->callback([&context, id, in_tenant] {
    context.request("GET", in_tenant("/v1/keys/" + percent_encode(*id)), nullptr, print_key);
  });
  auto overlap = std::make_shared<std::int64_t>(-1);
  auto* rotate = named("rotate", "A new key in its place; printed once");
  rotate->add_option("--overlap", *overlap, "seconds that the old one goes on; a day by default");
  rotate->callback([&context, id, in_tenant, overlap] {
    json::object body;
    if (*overlap >= 0) body["overlap_seconds"] = *overlap;
    context.request("POST", in_tenant("/v1/keys/" + percent_encode(*id) + "/rotate"), body,
                    print_key);
  });
  named("revoke", "End one at once")->callback([&context, id, in_tenant] {
    context.request("DELETE", in_tenant("/v1/keys/" + percent_encode(*id)), nullptr,
                    [](const json::value&) { std::cout << "key revoked\n"; });
  });
}

}  // namespace postern::cli
