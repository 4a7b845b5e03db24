#include "accounts/outbound_hosts.hpp"

#include <fmt/format.h>

#include <set>

#include "core/ascii.hpp"
#include "core/outbound/url.hpp"

namespace postern::accounts {

namespace {

Result<std::set<std::string>> canonical_hosts(const std::vector<std::string>& hosts) {
  std::set<std::string> out;
  for (const auto& host : hosts) {
    if (!outbound::is_host_pattern(host)) {
      return fail(Errc::invalid,
                  "a host is a full name (logs.example.net), all below one (*.example.net), or an "
                  "address");
    }
    out.insert(ascii::to_lower(host));
  }
  if (out.size() > kMaxOutboundHosts) {
    return fail(Errc::too_large, fmt::format("at most {} hosts", kMaxOutboundHosts));
  }
  return out;
}

}  // namespace

std::optional<std::vector<std::string>> find_outbound_hosts(sql::TenantScope& scope) {
  std::vector<std::string> hosts;
  auto rows =
      scope.prepare("SELECT host FROM outbound_hosts WHERE tenant_id = :tenant ORDER BY host");
  while (rows.step()) hosts.emplace_back(rows.text(0));
  if (hosts.empty()) return std::nullopt;
  return hosts;
}

Result<void> set_outbound_hosts(sql::TenantScope& scope, const std::vector<std::string>& hosts) {
  const auto canonical = canonical_hosts(hosts);
  if (!canonical) return std::unexpected(canonical.error());
  scope.prepare("DELETE FROM outbound_hosts WHERE tenant_id = :tenant").run();
  for (const auto& host : *canonical) {
    scope.prepare("INSERT INTO outbound_hosts (tenant_id, host) VALUES (:tenant, :host)")
        .bind_text(":host", host)
        .run();
  }
  return {};
}

}  // namespace postern::accounts
