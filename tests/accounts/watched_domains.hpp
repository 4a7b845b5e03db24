// A tenant with a hosted domain whose DNS records are watched, and its audit chain.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "accounts/domain_records.hpp"
#include "accounts/domains.hpp"
#include "accounts/tenants.hpp"
#include "tests/accounts/audit/world.hpp"

namespace postern::accounts::test {

using audit::test::must;

struct WatchedDomains : audit::test::World {
  WatchedDomains() {
    tenant(mine, "mine");
    tenant(theirs, "theirs");
    home = domain(mine, "a.example");
  }

  WatchTiming timing;
  Domain home;

  void tenant(TenantId id, const std::string& name) {
    const NewTenant fresh{id, name, 2, "wrapped", clock.now()};
    must(change([fresh](sql::Transaction& tx) { return add_tenant(tx, fresh); }));
  }
  Domain domain(TenantId owner, const std::string& name, const std::string& challenge = {}) {
    const NewDomain fresh{DomainId::make(),           owner,       name,
                          DomainOrigin::self_service, clock.now(), challenge};
    return must(change([fresh](sql::Transaction& tx) { return add_domain(tx, fresh); }));
  }

  static Observation mx(RecordStatus status) {
    return {RecordPurpose::mx, "a.example", status, "10 other.example"};
  }
  static Observation dkim(const std::string& selector, RecordStatus status) {
    return {RecordPurpose::dkim, selector + "._domainkey.a.example", status, ""};
  }
  Result<Noted> try_look(TenantId tenant_id, const Domain& which, std::vector<Observation> seen) {
    const Look look{std::move(seen), clock.now(), timing};
    return scoped(tenant_id, [this, which, look](sql::TenantScope& scope) {
      return note_look(scope, chain, which, look);
    });
  }
  Noted look(std::vector<Observation> seen) { return must(try_look(mine, home, std::move(seen))); }
  Noted look_after(Micros wait, std::vector<Observation> seen) {
    clock.advance(wait);
    return look(std::move(seen));
  }
  std::vector<WatchedRecord> rows(const std::string& name = "a.example") {
    return must(scoped(mine, [name](sql::TenantScope& scope) -> Result<std::vector<WatchedRecord>> {
      return list_domain_records(scope, name);
    }));
  }
  std::vector<std::string> due(std::size_t limit = 100) {
    const auto domains =
        must(change([this, limit](sql::Transaction& tx) -> Result<std::vector<Domain>> {
          return list_domains_to_check(tx, clock.now(), timing.check_every, limit);
        }));
    std::vector<std::string> names;
    names.reserve(domains.size());
    for (const auto& one : domains) names.push_back(one.name);
    return names;
  }
  WatchCounts counts() {
    return must(
        change([](sql::Transaction& tx) -> Result<WatchCounts> { return count_watched(tx); }));
  }
  Telling telling() {
    return must(scoped(mine, [this](sql::TenantScope& scope) -> Result<Telling> {
      return find_telling(scope, "a.example", clock.now());
    }));
  }
  std::vector<std::string> actions() {
    std::vector<std::string> out;
    const auto entries = all(mine);
    out.reserve(entries.size());
    for (const auto& entry : entries) out.push_back(entry.record.action);
    return out;
  }
};

}  // namespace postern::accounts::test
