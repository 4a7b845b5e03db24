// Every handler of the API, a line each; the tables in routes.cpp name them. A handler parses all
// it needs, answers a problem document for what is wrong, then acts.
#pragma once

#include "core/task.hpp"
#include "web/http/message.hpp"
#include "web/services.hpp"

namespace postern::web::api {

// health.cpp
Task<Response> healthz(Services& services, Request request);
Task<Response> readyz(Services& services, Request request);
Task<Response> metrics_text(Services& services, Request request);
Task<Response> show_status(Services& services, Request request);

// backup.cpp
Task<Response> make_backup(Services& services, Request request);

// tenants.cpp
Task<Response> add_tenant(Services& services, Request request);
Task<Response> list_tenants(Services& services, Request request);
Task<Response> show_tenant(Services& services, Request request);
Task<Response> suspend_tenant(Services& services, Request request);
Task<Response> resume_tenant(Services& services, Request request);
Task<Response> delete_tenant(Services& services, Request request);

// domains.cpp
Task<Response> add_domain(Services& services, Request request);
Task<Response> list_domains(Services& services, Request request);
Task<Response> show_domain(Services& services, Request request);
Task<Response> check_domain(Services& services, Request request);
Task<Response> delete_domain(Services& services, Request request);

// accounts.cpp
Task<Response> add_account(Services& services, Request request);
Task<Response> list_accounts(Services& services, Request request);
Task<Response> show_account(Services& services, Request request);
Task<Response> set_account_password(Services& services, Request request);
Task<Response> suspend_account(Services& services, Request request);
Task<Response> resume_account(Services& services, Request request);
Task<Response> delete_account(Services& services, Request request);

// grants.cpp
Task<Response> add_grant(Services& services, Request request);
Task<Response> list_grants(Services& services, Request request);
Task<Response> delete_grant(Services& services, Request request);

// credentials.cpp
Task<Response> add_credential(Services& services, Request request);
Task<Response> list_credentials(Services& services, Request request);
Task<Response> revoke_credential(Services& services, Request request);

// aliases.cpp
Task<Response> add_alias(Services& services, Request request);
Task<Response> list_aliases(Services& services, Request request);
Task<Response> delete_alias(Services& services, Request request);

// login_blocks.cpp
Task<Response> list_login_blocks(Services& services, Request request);
Task<Response> end_login_block(Services& services, Request request);

// queue.cpp
Task<Response> list_queue(Services& services, Request request);
Task<Response> show_queued(Services& services, Request request);
Task<Response> retry_queued(Services& services, Request request);
Task<Response> hold_queued(Services& services, Request request);
Task<Response> release_queued(Services& services, Request request);
Task<Response> drop_queued(Services& services, Request request);

// messages.cpp
Task<Response> list_events(Services& services, Request request);

}  // namespace postern::web::api
