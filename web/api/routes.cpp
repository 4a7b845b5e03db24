#include "web/api/routes.hpp"

#include <array>

#include "web/api/handlers.hpp"

namespace postern::web {

namespace {

using enum Method;

constexpr std::array kManagement{
    Route{get, "/healthz", "public", "The process is alive", api::healthz},
    Route{get, "/readyz", "public", "The server takes work", api::readyz},
    Route{get, "/v1/status", "server.read", "Version and state of the server", api::show_status},

    Route{post, "/v1/backup", "server.backup", "Copy all databases as they are at one moment",
          api::make_backup},

    Route{post, "/v1/tenants", "tenant.create", "Make a tenant", api::add_tenant},
    Route{get, "/v1/tenants", "tenant.read", "All tenants", api::list_tenants},
    Route{get, "/v1/tenants/{tenant}", "tenant.read", "One tenant", api::show_tenant},
    Route{post, "/v1/tenants/{tenant}/suspend", "tenant.suspend", "Refuse its logins and mail",
          api::suspend_tenant},
    Route{post, "/v1/tenants/{tenant}/resume", "tenant.suspend", "End a suspension",
          api::resume_tenant},
    Route{del, "/v1/tenants/{tenant}", "tenant.delete", "Delete a tenant without domains",
          api::delete_tenant},

    Route{post, "/v1/domains", "domain.create", "Host a domain", api::add_domain},
    Route{get, "/v1/domains", "domain.read", "Domains, of all tenants or one", api::list_domains},
    Route{get, "/v1/domains/{domain}", "domain.read", "One domain and its DNS records",
          api::show_domain},
    Route{post, "/v1/domains/{domain}/check", "domain.read", "Look its DNS records up",
          api::check_domain},
    Route{del, "/v1/domains/{domain}", "domain.delete", "Stop hosting an empty domain",
          api::delete_domain},

    Route{post, "/v1/accounts", "account.create", "Make a mailbox account", api::add_account},
    Route{get, "/v1/accounts", "account.read", "Accounts of a domain", api::list_accounts},
    Route{get, "/v1/accounts/{address}", "account.read", "One account", api::show_account},
    Route{post, "/v1/accounts/{address}/password", "account.password", "Set its password",
          api::set_account_password},
    Route{post, "/v1/accounts/{address}/suspend", "account.suspend", "Refuse its logins",
          api::suspend_account},
    Route{post, "/v1/accounts/{address}/resume", "account.suspend", "End a suspension",
          api::resume_account},
    Route{del, "/v1/accounts/{address}", "account.delete", "Delete an account",
          api::delete_account},

    Route{post, "/v1/accounts/{address}/grants", "account.grant", "Let it send as a whole domain",
          api::add_grant},
    Route{get, "/v1/accounts/{address}/grants", "account.read", "Domains it may send as",
          api::list_grants},
    Route{del, "/v1/accounts/{address}/grants/{domain}", "account.grant", "End one",
          api::delete_grant},

    Route{post, "/v1/accounts/{address}/credentials", "credential.create", "Make an app password",
          api::add_credential},
    Route{get, "/v1/accounts/{address}/credentials", "credential.read", "Its app passwords",
          api::list_credentials},
    Route{del, "/v1/accounts/{address}/credentials/{id}", "credential.revoke", "End one",
          api::revoke_credential},

    Route{post, "/v1/aliases", "alias.create", "Make an alias or catch-all", api::add_alias},
    Route{get, "/v1/aliases", "alias.read", "Aliases of a domain", api::list_aliases},
    Route{del, "/v1/aliases/{address}", "alias.delete", "Remove one", api::delete_alias},

    Route{get, "/v1/login-blocks", "login.read", "Who guessed passwords too often",
          api::list_login_blocks},
    Route{del, "/v1/login-blocks/{name}", "login.unblock", "Let a login or a network in again",
          api::end_login_block},

    Route{get, "/v1/queue", "queue.read", "Queued recipients", api::list_queue},
    Route{get, "/v1/queue/{id}", "queue.read", "One queued message", api::show_queued},
    Route{post, "/v1/queue/{id}/retry", "queue.manage", "Attempt it now", api::retry_queued},
    Route{post, "/v1/queue/{id}/hold", "queue.manage", "Keep it without attempts",
          api::hold_queued},
    Route{post, "/v1/queue/{id}/release", "queue.manage", "End a hold", api::release_queued},
    Route{del, "/v1/queue/{id}", "queue.manage", "Drop it without a bounce", api::drop_queued},

    Route{get, "/v1/messages/{id}/events", "message.read", "A message's timeline",
          api::list_events},
};

constexpr std::array kPublic{
    Route{get, "/healthz", "public", "The process is alive", api::healthz},
    Route{get, "/readyz", "public", "The server takes work", api::readyz},
};

constexpr std::array kMetrics{
    Route{get, "/metrics", "public", "Prometheus metrics", api::metrics_text},
    kPublic[0],
    kPublic[1],
};

}  // namespace

std::span<const Route> management_routes() { return kManagement; }
std::span<const Route> public_routes() { return kPublic; }
std::span<const Route> metrics_routes() { return kMetrics; }

}  // namespace postern::web
