// /v1/domains
#include "accounts/domains.hpp"

#include <fmt/chrono.h>

#include "accounts/domain_records.hpp"
#include "accounts/signing_keys.hpp"
#include "core/encoding.hpp"
#include "core/log.hpp"
#include "core/random.hpp"
#include "dkim/sign/key.hpp"
#include "web/api/handlers.hpp"
#include "web/api/mail/dns_records.hpp"
#include "web/api/support.hpp"

namespace postern::web::api {

namespace json = boost::json;
using accounts::Domain;
using accounts::SigningKey;
using accounts::WatchedRecord;

namespace {

constexpr std::size_t kChallengeOctets = 20;
constexpr unsigned kTtl = 3600;  // seconds, suggested for the records

struct DomainView {
  Domain domain;
  std::string tenant;  ///< its name
  std::vector<SigningKey> keys;
  std::vector<WatchedRecord> watched;
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
          {"status", view.domain.pending() ? "pending" : to_string(view.domain.status)},
          {"created_at", timestamp_text(view.domain.created)},
          {"drifted", std::ranges::any_of(view.watched, &WatchedRecord::adrift)}};
}

json::array drift_of(const DomainView& view) {
  json::array drift;
  for (const auto& record : view.watched) {
    if (!record.adrift()) continue;
    drift.push_back(
        json::object{{"purpose", to_string(record.purpose)},
                     {"name", record.name + "."},
                     {"status", to_string(record.status)},
                     {"since", timestamp_text(record.failing_since.value_or(*record.drifted))}});
  }
  return drift;
}

std::vector<DnsRecord> records_of(const DomainView& view, const Services& services) {
  auto records = wanted_records(view.domain.name, services.settings->hostname, view.keys);
  if (view.domain.pending())
    records.insert(records.begin(), proof_record(view.domain.name, view.domain.challenge));
  return records;
}

json::object with_records(const DomainView& view, const Services& services) {
  json::object document = to_json(view);
  json::array records;
  for (const auto& record : records_of(view, services)) records.push_back(to_json(record));
  document["drift"] = drift_of(view);
  document["records"] = std::move(records);
  return document;
}

Result<DomainView> view_of(sql::TenantScope scope, Domain domain) {
  auto tenant = accounts::find_tenant(scope.transaction(), domain.tenant);
  if (!tenant) return std::unexpected(tenant.error());
  auto keys = accounts::list_signing_keys(scope, domain.name);
  auto watched = accounts::list_domain_records(scope, domain.name);
  return DomainView{std::move(domain), tenant->name, std::move(keys), std::move(watched)};
}

Task<Result<DomainView>> read_domain(Call& call) {
  co_return co_await call.read<DomainView>(
      [name = call.parameter("domain")](accounts::Reach& reach) -> Result<DomainView> {
        auto domain = reach.domain(name);
        if (!domain) return std::unexpected(domain.error());
        return view_of(reach.scope(domain->tenant), *domain);
      });
}

// "r202611" and "e202611": an algorithm and the month, so that rotation has a new name.
std::string selector_for(dkim::Algorithm algorithm, Timestamp now) {
  return fmt::format("{}{:%Y%m}", algorithm == dkim::Algorithm::rsa2048 ? 'r' : 'e',
                     fmt::gmtime(std::chrono::system_clock::to_time_t(now)));
}

Result<std::vector<SigningKey>> make_keys(const Services& services, TenantId tenant,
                                          const std::string& domain, Timestamp now) {
  std::vector<SigningKey> keys;
  for (const auto algorithm : {dkim::Algorithm::rsa2048, dkim::Algorithm::ed25519}) {
    auto pair = services.generate_key(algorithm);
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
    auto wrapped = accounts::wrap_private_key(services.keystore->master(), tenant, domain,
                                              key.selector, pair->private_pem);
    if (!wrapped) return std::unexpected(wrapped.error());
    key.wrapped_private_key = std::move(*wrapped);
    keys.push_back(std::move(key));
  }
  return keys;
}

Result<DomainView> insert_domain(accounts::Reach& reach, const accounts::NewDomain& fresh,
                                 const std::vector<SigningKey>& keys) {
  auto scope = reach.scope(fresh.tenant);
  auto domain = accounts::add_domain(scope.transaction(), fresh);
  if (!domain) return std::unexpected(domain.error());
  reach.set_target("domain:" + domain->name);
  for (const auto& key : keys) {
    if (auto added = accounts::add_signing_key(scope, key); !added)
      return std::unexpected(added.error());
  }
  return view_of(scope, *domain);
}

// Of one tenant, those that the caller is narrowed to; or, for an operator, of all.
Result<std::vector<Domain>> domains_of(accounts::Reach& reach, const std::string& tenant,
                                       const std::string& after) {
  if (tenant.empty() && !reach.caller().tenant) {
    auto tx = reach.unscoped(accounts::Permission::tenant_list, "list all domains");
    if (!tx) return std::unexpected(tx.error());
    return accounts::list_domains(**tx, after, kPage);
  }
  auto owner = reach.tenant_or_own(tenant);
  if (!owner) return std::unexpected(owner.error());
  auto scope = reach.scope(owner->id);
  return accounts::list_domains(scope.transaction(), owner->id, after, kPage);
}

struct DomainPage {
  std::vector<DomainView> views;
  std::size_t rows = 0;  ///< read, before narrowing
  std::string last;
};

Result<DomainPage> page_of(accounts::Reach& reach, const std::string& tenant,
                           const std::string& after) {
  auto domains = domains_of(reach, tenant, after);
  if (!domains) return std::unexpected(domains.error());
  DomainPage page{{}, domains->size(), domains->empty() ? "" : domains->back().name};
  for (auto& domain : *domains) {
    if (!reach.caller().narrowing.reaches_domain(domain.name)) continue;
    auto view = view_of(reach.scope(domain.tenant), std::move(domain));
    if (!view) return std::unexpected(view.error());
    page.views.push_back(std::move(*view));
  }
  return page;
}

}  // namespace

Task<Response> add_domain(Call& call) {
  auto name = accounts::parse_domain(call.text("domain"));
  if (!name) co_return bad_member("domain", name.error());
  auto tenant = co_await call.read<accounts::Tenant>(
      [who = call.text("tenant")](accounts::Reach& reach) { return reach.tenant_or_own(who); });
  if (!tenant) co_return problem(tenant.error());

  // Whoever runs the server vouches for the domain; everybody else shows that it is theirs.
  const bool vouched = call.caller.kind == accounts::CallerKind::operator_;
  const accounts::NewDomain fresh{
      DomainId::make(),
      tenant->id,
      *name,
      vouched ? accounts::DomainOrigin::operator_added : accounts::DomainOrigin::self_service,
      call.now(),
      vouched ? "" : hex_encode(random_bytes(kChallengeOctets))};
  // RSA key generation takes a good part of a second: not on an io thread.
  auto keys = co_await call.services.workers->run<std::vector<SigningKey>>(
      [services = &call.services, fresh] {
        return make_keys(*services, fresh.tenant, fresh.name, fresh.created);
      });
  if (!keys) co_return problem(keys.error());
  auto added = co_await call.change<DomainView>(
      [fresh, keys = *keys](accounts::Reach& reach) { return insert_domain(reach, fresh, keys); });
  if (!added) co_return problem(added.error());
  co_return json_response(with_records(*added, call.services), 201);
}

Task<Response> list_domains(Call& call) {
  auto page = co_await call.read<DomainPage>(
      [tenant = call.query("tenant"), after = call.query("cursor")](accounts::Reach& reach) {
        return page_of(reach, tenant, after);
      });
  if (!page) co_return problem(page.error());
  json::array items;
  for (const auto& view : page->views) items.push_back(to_json(view));
  co_return list_response(std::move(items), page->rows, page->last);
}

Task<Response> show_domain(Call& call) {
  auto view = co_await read_domain(call);
  if (!view) co_return problem(view.error());
  co_return json_response(with_records(*view, call.services));
}

namespace {

Task<Result<void>> prove(Call& call, Domain domain) {
  co_return co_await call.change<void>(
      [domain = std::move(domain)](accounts::Reach& reach) -> Result<void> {
        reach.set_target("domain:" + domain.name);
        auto scope = reach.scope(domain.tenant);
        return accounts::prove_domain(scope.transaction(), domain.name);
      });
}

// What was seen counts as a look of the watch's own, so that who has mended a record sees its drift
// end at once. The answer doesn't depend on it.
Task<void> note_look(Call& call, DomainView& view, const std::vector<CheckedRecord>& checked) {
  const auto& timing = call.services.settings->domains;
  accounts::Look look{
      observations_of(checked), call.now(), {timing.check_every, timing.recheck_after}};
  auto noted = co_await accounts::note_look(*call.services.registry, *call.services.audit,
                                            view.domain, std::move(look));
  if (noted) {
    view.watched = std::move(noted->records);
  } else {
    log::warn("domain_look_not_noted",
              {{"domain", view.domain.name}, {"error", noted.error().message}});
  }
}

}  // namespace

Task<Response> check_domain(Call& call) {
  const Services& services = call.services;
  auto view = co_await read_domain(call);
  if (!view) co_return problem(view.error());
  auto checked = co_await check_records(*services.resolver(), records_of(*view, services));
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
  const bool proved = view->domain.pending() && checked.front().status == RecordStatus::ok;
  if (proved) {
    auto done = co_await prove(call, view->domain);
    if (!done) co_return problem(done.error());
    view->domain.challenge.clear();
  }
  if (!view->domain.pending()) co_await note_look(call, *view, checked);
  json::object document = to_json(*view);
  document["drift"] = drift_of(*view);
  document["ok"] = ok;
  document["records"] = std::move(records);
  co_return json_response(document);
}

Task<Response> delete_domain(Call& call) {
  auto removed = co_await call.change<void>(
      [name = call.parameter("domain")](accounts::Reach& reach) -> Result<void> {
        auto domain = reach.domain(name);
        if (!domain) return std::unexpected(domain.error());
        reach.set_target("domain:" + domain->name);
        auto scope = reach.scope(domain->tenant);
        return accounts::remove_domain(scope.transaction(), domain->name);
      });
  if (!removed) co_return problem(removed.error());
  co_return no_content();
}

}  // namespace postern::web::api
