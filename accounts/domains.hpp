// Mail domains: which tenant a domain belongs to. A platform table (routing), keyed by name.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "accounts/tenants.hpp"
#include "core/id.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "storage/sql/transaction.hpp"

namespace postern::accounts {

/// Who added it: decides how strictly the alignment of its mail is enforced.
enum class DomainOrigin : std::uint8_t { operator_added = 0, self_service = 1 };

struct Domain {
  DomainId id;
  TenantId tenant;
  std::string name;  ///< canonical (parse_domain)
  Status status = Status::active;
  DomainOrigin origin = DomainOrigin::operator_added;
  Timestamp created;
  /// What DNS has to answer before anything is routed or signed here; empty once it has.
  std::string challenge;
  [[nodiscard]] bool pending() const { return !challenge.empty(); }
};

struct NewDomain {
  DomainId id;
  TenantId tenant;
  std::string name;
  DomainOrigin origin = DomainOrigin::operator_added;
  Timestamp created;
  std::string challenge{};  ///< empty: nothing has to be proved (an operator added it)
};

/// Errc::invalid (not a domain, or a public suffix), Errc::exists (taken), Errc::denied (parent or
/// child of another tenant's domain: whoever holds the parent could claim the child's mail),
/// Errc::not_found.
Result<Domain> add_domain(sql::Transaction& tx, const NewDomain& fresh);
/// `name` in any form that parse_domain takes.
Result<Domain> find_domain(sql::Transaction& tx, std::string_view name);
/// For routing and signing: a domain that is still to be proved isn't hosted (Errc::not_found).
Result<Domain> find_proved_domain(sql::Transaction& tx, std::string_view name);
/// DNS answered the challenge.
Result<void> prove_domain(sql::Transaction& tx, std::string_view name);
/// Removes domains that nobody proved since `before`, and that nothing is in; so that nobody keeps
/// a name from its owner. How many there were.
std::size_t drop_unproved_domains(sql::Transaction& tx, Timestamp before);
std::vector<Domain> list_domains(sql::Transaction& tx, std::string_view after, std::size_t limit);
std::vector<Domain> list_domains(sql::Transaction& tx, TenantId tenant, std::string_view after,
                                 std::size_t limit);
/// Proved and active domains of active tenants whose DNS records are to be looked at now (see
/// domain_records.hpp), the longest due first.
std::vector<Domain> list_domains_to_check(sql::Transaction& tx, Timestamp now, Micros check_every,
                                          std::size_t limit);
Result<void> set_domain_status(sql::Transaction& tx, std::string_view name, Status status);
/// Errc::denied while accounts or aliases are in it. Its signing keys, catch-all, grants and
/// what is known of its records go with it, and its name goes out of narrowings.
Result<void> remove_domain(sql::Transaction& tx, std::string_view name);

/// For what is about to be added to a domain: Errc::not_found unless it is the scope's tenant's.
/// Updates its row, so that the domain can't go meanwhile. `name` is canonical.
Result<void> hold_domain(sql::TenantScope& scope, std::string_view name);

}  // namespace postern::accounts
