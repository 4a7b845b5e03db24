// Every handler of the API, a line each; the tables of routes.hpp name them. What a handler gets
// has been validated and its caller may do this; it parses names, then acts through the call.
#pragma once

#include "core/task.hpp"
#include "web/api/call.hpp"

namespace postern::web::api {

// health.cpp
Task<Response> healthz(Call& call);
Task<Response> readyz(Call& call);
Task<Response> metrics_text(Call& call);
Task<Response> show_status(Call& call);

// describe.cpp
Task<Response> openapi_document(Call& call);
Task<Response> reference_page(Call& call);
Task<Response> security_text(Call& call);

// page.cpp
Task<Response> show_page(Call& call);

// backup.cpp
Task<Response> make_backup(Call& call);

// mail/tenants.cpp
Task<Response> add_tenant(Call& call);
Task<Response> list_tenants(Call& call);
Task<Response> show_tenant(Call& call);
Task<Response> suspend_tenant(Call& call);
Task<Response> resume_tenant(Call& call);
Task<Response> delete_tenant(Call& call);

// mail/domains.cpp
Task<Response> add_domain(Call& call);
Task<Response> list_domains(Call& call);
Task<Response> show_domain(Call& call);
Task<Response> check_domain(Call& call);
Task<Response> delete_domain(Call& call);

// mail/accounts.cpp
Task<Response> add_account(Call& call);
Task<Response> list_accounts(Call& call);
Task<Response> show_account(Call& call);
Task<Response> set_account_password(Call& call);
Task<Response> suspend_account(Call& call);
Task<Response> resume_account(Call& call);
Task<Response> delete_account(Call& call);

// mail/grants.cpp
Task<Response> add_grant(Call& call);
Task<Response> list_grants(Call& call);
Task<Response> delete_grant(Call& call);

// mail/credentials.cpp
Task<Response> add_credential(Call& call);
Task<Response> list_credentials(Call& call);
Task<Response> revoke_credential(Call& call);

// mail/aliases.cpp
Task<Response> add_alias(Call& call);
Task<Response> list_aliases(Call& call);
Task<Response> delete_alias(Call& call);

// people/session.cpp
Task<Response> sign_in(Call& call);
Task<Response> give_second_factor(Call& call);
Task<Response> show_session(Call& call);
Task<Response> sign_out(Call& call);
Task<Response> request_link(Call& call);
Task<Response> confirm_link(Call& call);
Task<Response> request_code(Call& call);
Task<Response> confirm_code(Call& call);

// people/passkeys.cpp
Task<Response> passkey_challenge(Call& call);
Task<Response> sign_in_with_passkey(Call& call);
Task<Response> offer_passkey(Call& call);
Task<Response> add_passkey(Call& call);
Task<Response> list_passkeys(Call& call);
Task<Response> delete_passkey(Call& call);

// people/password_reset.cpp
Task<Response> request_password_reset(Call& call);
Task<Response> reset_password(Call& call);

// people/sign_up.cpp
Task<Response> request_sign_up(Call& call);
Task<Response> confirm_sign_up(Call& call);

// people/me.cpp
Task<Response> rename_me(Call& call);
Task<Response> change_my_password(Call& call);
Task<Response> list_my_sessions(Call& call);
Task<Response> end_my_session(Call& call);
Task<Response> end_my_other_sessions(Call& call);
Task<Response> offer_totp(Call& call);
Task<Response> confirm_totp(Call& call);
Task<Response> remove_totp(Call& call);
Task<Response> make_my_recovery_codes(Call& call);

// people/members.cpp
Task<Response> add_person(Call& call);
Task<Response> list_people(Call& call);
Task<Response> show_person(Call& call);
Task<Response> update_person(Call& call);
Task<Response> remove_person(Call& call);

// people/invitations.cpp
Task<Response> add_invitation(Call& call);
Task<Response> list_invitations(Call& call);
Task<Response> delete_invitation(Call& call);
Task<Response> accept_invitation(Call& call);

// people/operators.cpp
Task<Response> add_operator(Call& call);
Task<Response> list_operators(Call& call);
Task<Response> remove_operator(Call& call);

// people/roles.cpp
Task<Response> add_role(Call& call);
Task<Response> list_roles(Call& call);
Task<Response> show_role(Call& call);
Task<Response> update_role(Call& call);
Task<Response> delete_role(Call& call);

// people/keys.cpp
Task<Response> add_key(Call& call);
Task<Response> list_keys(Call& call);
Task<Response> show_key(Call& call);
Task<Response> rotate_key(Call& call);
Task<Response> revoke_key(Call& call);

// people/connections.cpp
Task<Response> add_connection(Call& call);
Task<Response> list_connections(Call& call);
Task<Response> revoke_connection(Call& call);

// audit/audit.cpp
Task<Response> list_audit(Call& call);
Task<Response> export_audit(Call& call);
Task<Response> list_platform_audit(Call& call);
Task<Response> verify_audit(Call& call);
Task<Response> resume_audit(Call& call);
Task<Response> audit_heads(Call& call);

// audit/audit_stream.cpp
Task<Response> show_audit_stream(Call& call);
Task<Response> set_audit_stream(Call& call);
Task<Response> remove_audit_stream(Call& call);
Task<Response> show_platform_stream(Call& call);
Task<Response> set_platform_stream(Call& call);
Task<Response> remove_platform_stream(Call& call);

// audit/outbound_hosts.cpp
Task<Response> show_outbound_hosts(Call& call);
Task<Response> set_outbound_hosts(Call& call);

// mail/login_blocks.cpp
Task<Response> list_login_blocks(Call& call);
Task<Response> end_login_block(Call& call);

// mail/queue.cpp
Task<Response> list_queue(Call& call);
Task<Response> show_queued(Call& call);
Task<Response> retry_queued(Call& call);
Task<Response> hold_queued(Call& call);
Task<Response> release_queued(Call& call);
Task<Response> drop_queued(Call& call);

// mail/messages.cpp
Task<Response> list_events(Call& call);

}  // namespace postern::web::api
