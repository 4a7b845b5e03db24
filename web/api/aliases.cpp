// /v1/aliases. The local part "*" stands for the domain's catch-all.
#include "accounts/aliases.hpp"

#include "accounts/domains.hpp"
#include "web/api/handlers.hpp"
#include "web/api/support.hpp"

namespace postern::web::api {

namespace json = boost::json;
using accounts::Address;
using accounts::Alias;

namespace {

constexpr std::string_view kCatchAll = "*@";
constexpr std::size_t kMaxTargets = 100;  // of one request

Result<Address> alias_address(const std::string& text) {
  if (!text.starts_with(kCatchAll)) return accounts::parse_address(text);
  auto domain = accounts::parse_domain(text.substr(kCatchAll.size()));
  if (!domain) return std::unexpected(domain.error());
  return Address{"*", *domain};
}

bool is_catch_all(const Address& address) { return address.local == "*"; }

Parsed<std::vector<Address>> targets_of(const Request& request) {
  const auto wrong = [](std::string_view why) {
    return std::unexpected(problem(400, "Invalid request", why, "targets"));
  };
  const auto* member = request.json.as_object().if_contains("targets");
  if (member == nullptr || !member->is_array() || member->as_array().empty()) {
    return wrong("\"targets\" must be a list of addresses");
  }
  if (member->as_array().size() > kMaxTargets) return wrong("too many targets at once");
  std::vector<Address> targets;
  for (const auto& item : member->as_array()) {
    if (!item.is_string()) return wrong("\"targets\" must be a list of addresses");
    auto address = accounts::parse_address({item.as_string().data(), item.as_string().size()});
    if (!address) return wrong(address.error().message);
    targets.push_back(std::move(*address));
  }
  return targets;
}

json::object to_json(const Alias& alias) {
  json::array targets;
  for (const auto& target : alias.targets) targets.emplace_back(target.text());
  const bool all = is_catch_all(alias.address);
  return {{"address", all ? "*@" + alias.address.domain : alias.address.text()},
          {"targets", targets}};
}

Result<Alias> put_alias(sql::Transaction& tx, const Address& address,
                        const std::vector<Address>& targets) {
  auto domain = accounts::find_domain(tx, address.domain);
  if (!domain) return std::unexpected(domain.error());
  sql::TenantScope scope(tx, domain->tenant);
  if (!is_catch_all(address)) return accounts::add_alias(scope, address, targets);
  if (targets.size() != 1) return fail(Errc::invalid, "a catch-all has exactly one target");
  auto set = accounts::set_catch_all(scope, address.domain, targets.front());
  if (!set) return std::unexpected(set.error());
  return Alias{address, targets};
}

}  // namespace

Task<Response> add_alias(Services& services, Request request) {
  auto text = string_member(request, "address");
  if (!text) co_return text.error();
  auto address = alias_address(*text);
  if (!address) co_return problem(400, "Invalid request", address.error().message, "address");
  auto targets = targets_of(request);
  if (!targets) co_return targets.error();
  auto added = co_await services.registry->change<Alias>(
      [address = *address, targets = *targets](sql::Transaction& tx) {
        return put_alias(tx, address, targets);
      });
  if (!added) co_return problem(added.error());
  co_return json_response(to_json(*added), 201);
}

Task<Response> list_aliases(Services& services, Request request) {
  auto domain = query_value(request, "domain");
  if (!domain) co_return domain.error();
  const std::string after = request.query["cursor"];
  auto found = co_await services.registry->read<std::vector<Alias>>(
      [name = *domain, after](sql::Transaction& tx) -> Result<std::vector<Alias>> {
        auto hosted = accounts::find_domain(tx, name);
        if (!hosted) return std::unexpected(hosted.error());
        sql::TenantScope scope(tx, hosted->tenant);
        auto all = accounts::list_aliases(scope, Address{after, hosted->name}, kPage);
        std::erase_if(all, [&](const Alias& a) { return a.address.domain != hosted->name; });
        if (all.size() == kPage) return all;
        if (auto target = accounts::find_catch_all(scope, hosted->name)) {
          all.push_back({Address{"*", hosted->name}, {*target}});
        }
        return all;
      });
  if (!found) co_return problem(found.error());
  json::array items;
  for (const auto& alias : *found) items.push_back(to_json(alias));
  // The catch-all stands at the end of the last page.
  const bool last = found->empty() || found->back().address.local == "*";
  co_return list_response(std::move(items), last ? 0 : found->size(),
                          last ? "" : found->back().address.local);
}

Task<Response> delete_alias(Services& services, Request request) {
  auto address = alias_address(request.parameters["address"]);
  if (!address) co_return problem(address.error());
  auto removed = co_await services.registry->change<void>(
      [address = *address](sql::Transaction& tx) -> Result<void> {
        auto domain = accounts::find_domain(tx, address.domain);
        if (!domain) return std::unexpected(domain.error());
        sql::TenantScope scope(tx, domain->tenant);
        return is_catch_all(address) ? accounts::remove_catch_all(scope, address.domain)
                                     : accounts::remove_alias(scope, address);
      });
  if (!removed) co_return problem(removed.error());
  co_return json_response(json::object{});
}

}  // namespace postern::web::api
