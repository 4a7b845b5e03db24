// The mail that tells a tenant's owners that a domain's DNS records drifted, or are right again.
// Plain text; what DNS answered is in it, short and printable (accounts::found_text). No secrets:
// all of it is public DNS.
#pragma once

#include <string>
#include <vector>

#include "accounts/mailer.hpp"
#include "accounts/watched_record.hpp"
#include "core/time.hpp"
#include "storage/sql/transaction.hpp"
#include "web/api/mail/dns_records.hpp"

namespace postern::server {

/// Addresses of the active people who own the tenant, twenty at the most; of its owner's mailbox
/// when there are none.
std::vector<std::string> drift_recipients(sql::TenantScope& scope);

/// Without a recipient. `telling` isn't empty.
accounts::Mail drift_mail(const std::string& domain, const std::vector<web::api::DnsRecord>& wanted,
                          const accounts::Telling& telling, Timestamp now);

}  // namespace postern::server
