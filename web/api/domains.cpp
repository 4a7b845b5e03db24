// /v1/domains
#include "accounts/domains.hpp"

#include <fmt/chrono.h>

#include "accounts/signing_keys.hpp"
#include "dkim/sign/key.hpp"
#include "web/api/dns_records.hpp"
#include "web/api/handlers.hpp"
#include "web/api/support.hpp"

namespace postern::web::api {

namespace json = boost::json;
using accounts::Domain;
using accounts::SigningKey;

namespace {

constexpr unsigned kTtl = 3600;  // seconds, suggested for the records

struct DomainView {
  Domain domain;
  std::string tenant;  ///< its name
  std::vector<SigningKey> keys;
};

json::object to_json(const DnsRecord& record) {
  return {{"purpose", to_string(record.purpose)},
          {"name", record.name + "."},
          {"type", record.type == dns::Type::mx ? "MX" : "TXT"},
          {"ttl", kTtl},
          {"value", record.value},
          {"zone_value", zone_value(record)}};
}

json::object to_json(const DomainView& view) {
  return {{"domain", view.domain.name},
          {"tenant", view.tenant},
          {"status", std::string(to_string(view.domain.status))},
          {"created_at", timestamp_text(view.domain.created)}};
}

json::object with_records(const DomainView& view, const Services& services) {
  json::object document = to_json(view);
  json::array records;
  for (const auto& record :
       wanted_records(view.domain.name, services.settings->hostname, view.keys)) {
    records.push_back(to_json(record));
  }
  document["records"] = std::move(records);
  return document;
}

Result<DomainView> view_of(sql::Transaction& tx, Domain domain) {
  auto tenant = accounts::find_tenant(tx, domain.tenant);
  if (!tenant) return std::unexpected(tenant.error());
  sql::TenantScope scope(tx, domain.tenant);
  auto keys = accounts::list_signing_keys(scope, domain.name);
  return DomainView{std::move(domain), tenant->name, std::move(keys)};
}

Task<Result<DomainView>> read_domain(Services& services, std::string name) {
  co_return co_await services.registry->read<DomainView>(
      [name](sql::Transaction& tx) -> Result<DomainView> {
        auto domain = accounts::find_domain(tx, name);
        if (!domain) return std::unexpected(domain.error());
        return view_of(tx, *domain);
      });
}

// "r202611" and "e202611": an algorithm and the month, so that rotation has a new name.
std::string selector_for(dkim::Algorithm algorithm, Timestamp now) {
  return fmt::format("{}{:%Y%m}", algorithm == dkim::Algorithm::rsa2048 ? 'r' : 'e',
                     fmt::gmtime(std::chrono::system_clock::to_time_t(now)));
}

Result<std::vector<SigningKey>> make_keys(storage::MasterKey& master, TenantId tenant,
                                          const std::string& domain, Timestamp now) {
  std::vector<SigningKey> keys;
  for (const auto algorithm : {dkim::Algorithm::rsa2048, dkim::Algorithm::ed25519}) {
    auto pair = dkim::generate(algorithm);
    if (!pair) return std::unexpected(pair.error());
    SigningKey key;
    key.id = accounts::SigningKeyId::make();
    key.domain = domain;
    key.selector = selector_for(algorithm, now);
    key.algorithm = algorithm == dkim::Algorithm::rsa2048
                        ? accounts::SigningAlgorithm::rsa_sha256
                        : accounts::SigningAlgorithm::ed25519_sha256;
    key.public_record = pair->dns_record;
    key.created = now;
    auto wrapped =
        accounts::wrap_private_key(master, tenant, domain, key.selector, pair->private_pem);
    if (!wrapped) return std::unexpected(wrapped.error());
    key.wrapped_private_key = std::move(*wrapped);
    keys.push_back(std::move(key));
  }
  return keys;
}

Result<DomainView> insert_domain(sql::Transaction& tx, const accounts::NewDomain& fresh,
                                 const std::vector<SigningKey>& keys) {
  auto domain = accounts::add_domain(tx, fresh);
  if (!domain) return std::unexpected(domain.error());
  sql::TenantScope scope(tx, domain->tenant);
  for (const auto& key : keys) {
    if (auto added = accounts::add_signing_key(scope, key); !added)
      return std::unexpected(added.error());
  }
  return view_of(tx, *domain);
}

}  // namespace

Task<Response> add_domain(Services& services, Request request) {
  auto text = string_member(request, "domain");
  if (!text) co_return text.error();
  auto name = accounts::parse_domain(*text);
  if (!name) co_return problem(400, "Invalid request", name.error().message, "domain");
  auto tenant_name = string_member(request, "tenant");
  if (!tenant_name) co_return tenant_name.error();
  auto tenant = co_await services.registry->read<accounts::Tenant>(
      [who = *tenant_name](sql::Transaction& tx) { return find_tenant_by_text(tx, who); });
  if (!tenant) co_return problem(tenant.error());

  const accounts::NewDomain fresh{DomainId::make(), tenant->id, *name,
                                  accounts::DomainOrigin::operator_added, services.clock->now()};
  // RSA key generation takes a good part of a second: not on an io thread.
  auto keys = co_await services.workers->run<std::vector<SigningKey>>(
      [keystore = services.keystore, fresh] {
        return make_keys(keystore->master(), fresh.tenant, fresh.name, fresh.created);
      });
  if (!keys) co_return problem(keys.error());
  auto added = co_await services.registry->change<DomainView>(
      [fresh, keys = *keys](sql::Transaction& tx) { return insert_domain(tx, fresh, keys); });
  if (!added) co_return problem(added.error());
  co_return json_response(with_records(*added, services), 201);
}

Task<Response> list_domains(Services& services, Request request) {
  const std::string tenant = request.query["tenant"];
  const std::string after = request.query["cursor"];
  auto found = co_await services.registry->read<std::vector<DomainView>>(
      [tenant, after](sql::Transaction& tx) -> Result<std::vector<DomainView>> {
        std::vector<Domain> domains;
        if (tenant.empty()) {
          domains = accounts::list_domains(tx, after, kPage);
        } else {
          auto owner = find_tenant_by_text(tx, tenant);
          if (!owner) return std::unexpected(owner.error());
          domains = accounts::list_domains(tx, owner->id, after, kPage);
        }
        std::vector<DomainView> views;
        for (auto& domain : domains) {
          auto view = view_of(tx, std::move(domain));
          if (!view) return std::unexpected(view.error());
          views.push_back(std::move(*view));
        }
        return views;
      });
  if (!found) co_return problem(found.error());
  json::array items;
  for (const auto& view : *found) items.push_back(to_json(view));
  co_return list_response(std::move(items), found->size(),
                          found->empty() ? "" : found->back().domain.name);
}

Task<Response> show_domain(Services& services, Request request) {
  auto view = co_await read_domain(services, request.parameters["domain"]);
  if (!view) co_return problem(view.error());
  co_return json_response(with_records(*view, services));
}

Task<Response> check_domain(Services& services, Request request) {
  auto view = co_await read_domain(services, request.parameters["domain"]);
  if (!view) co_return problem(view.error());
  auto checked = co_await check_records(
      *services.resolver,
      wanted_records(view->domain.name, services.settings->hostname, view->keys));
  json::array records;
  bool ok = true;
  for (const auto& one : checked) {
    json::object record = to_json(one.record);
    record["status"] = to_string(one.status);
    json::array found;
    for (const auto& text : one.found) found.emplace_back(text);
    record["found"] = std::move(found);
    ok = ok && one.status == RecordStatus::ok;
    records.push_back(std::move(record));
  }
  json::object document{{"domain", view->domain.name}, {"ok", ok}};
  document["records"] = std::move(records);
  co_return json_response(document);
}

Task<Response> delete_domain(Services& services, Request request) {
  auto removed = co_await services.registry->change<void>(
      [name = request.parameters["domain"]](sql::Transaction& tx) {
        return accounts::remove_domain(tx, name);
      });
  if (!removed) co_return problem(removed.error());
  co_return json_response(json::object{});
}

}  // namespace postern::web::api
