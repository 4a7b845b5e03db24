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

Result<Address> alias_address(const std::string& text) {
  if (!text.starts_with(kCatchAll)) return accounts::parse_address(text);
  auto domain = accounts::parse_domain(text.substr(kCatchAll.size()));
  if (!domain) return std::unexpected(domain.error());
  return Address{"*", *domain};
}

bool is_catch_all(const Address& address) { return address.local == "*"; }

Result<std::vector<Address>> targets_of(const Call& call) {
  std::vector<Address> targets;
  for (const auto& text : call.texts("targets")) {
    auto address = accounts::parse_address(text);
    if (!address) return std::unexpected(address.error());
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

// An alias or catch-all belongs to its domain; whoever is narrowed to mailboxes has none.
Result<accounts::Domain> domain_of(accounts::Reach& reach, const Address& address) {
  reach.set_target("alias:" + address.text());
  return reach.domain(address.domain);
}

Result<Alias> put_alias(accounts::Reach& reach, const Address& address,
                        const std::vector<Address>& targets) {
  auto domain = domain_of(reach, address);
  if (!domain) return std::unexpected(domain.error());
  for (const auto& target : targets) {
    if (!reach.caller().narrowing.reaches_account(target.text())) {
      return fail(Errc::not_found, "there is no account or alias " + target.text());
    }
  }
  auto scope = reach.scope(domain->tenant);
  if (!is_catch_all(address)) return accounts::add_alias(scope, address, targets);
  if (targets.size() != 1) return fail(Errc::invalid, "a catch-all has exactly one target");
  auto set = accounts::set_catch_all(scope, address.domain, targets.front());
  if (!set) return std::unexpected(set.error());
  return Alias{address, targets};
}

Result<std::vector<Alias>> page_of(accounts::Reach& reach, const std::string& name,
                                   const std::string& after) {
  auto hosted = reach.domain(name);
  if (!hosted) return std::unexpected(hosted.error());
  auto scope = reach.scope(hosted->tenant);
  auto all = accounts::list_aliases(scope, Address{after, hosted->name}, kPage);
  std::erase_if(all, [&](const Alias& a) { return a.address.domain != hosted->name; });
  if (all.size() == kPage) return all;
  if (auto target = accounts::find_catch_all(scope, hosted->name)) {
    all.push_back({Address{"*", hosted->name}, {*target}});
  }
  return all;
}

}  // namespace

Task<Response> add_alias(Call& call) {
  auto address = alias_address(call.text("address"));
  if (!address) co_return bad_member("address", address.error());
  auto targets = targets_of(call);
  if (!targets) co_return bad_member("targets", targets.error());
  auto added =
      co_await call.change<Alias>([address = *address, targets = *targets](accounts::Reach& reach) {
        return put_alias(reach, address, targets);
      });
  if (!added) co_return problem(added.error());
  co_return json_response(to_json(*added), 201);
}

Task<Response> list_aliases(Call& call) {
  auto found = co_await call.read<std::vector<Alias>>(
      [name = call.query("domain"), after = call.query("cursor")](accounts::Reach& reach) {
        return page_of(reach, name, after);
      });
  if (!found) co_return problem(found.error());
  json::array items;
  for (const auto& alias : *found) items.push_back(to_json(alias));
  // The catch-all stands at the end of the last page.
  const bool last = found->empty() || found->back().address.local == "*";
  co_return list_response(std::move(items), last ? 0 : found->size(),
                          last ? "" : found->back().address.local);
}

Task<Response> delete_alias(Call& call) {
  auto address = alias_address(call.parameter("alias"));
  if (!address) co_return problem(address.error());
  auto removed =
      co_await call.change<void>([address = *address](accounts::Reach& reach) -> Result<void> {
        auto domain = domain_of(reach, address);
        if (!domain) return std::unexpected(domain.error());
        auto scope = reach.scope(domain->tenant);
        return is_catch_all(address) ? accounts::remove_catch_all(scope, address.domain)
                                     : accounts::remove_alias(scope, address);
      });
  if (!removed) co_return problem(removed.error());
  co_return no_content();
}

}  // namespace postern::web::api
