#include "web/access/person_caller.hpp"

#include <algorithm>

#include "accounts/people/connection.hpp"
#include "accounts/people/member.hpp"
#include "accounts/people/passkey.hpp"
#include "accounts/tenants.hpp"

namespace postern::web {

using accounts::Caller;
using accounts::CallerKind;
using accounts::Person;
using accounts::SignIn;
using accounts::WebSession;

namespace {

constexpr std::size_t kConnectionsRead = 2 * accounts::kMaxConnections;  // all of one tenant

bool gave_second_factor(const WebSession& session) { return session.verified.has_value(); }

SignIn sign_in_of(sql::Transaction& tx, const Person& person, const WebSession& session,
                  const PersonQuestion& question) {
  if (gave_second_factor(session)) return SignIn::whole;
  if (has_second_factor(tx, person)) return SignIn::half;
  return question.require_second_factor ? SignIn::enrolling : SignIn::whole;
}

// The tenant that is asked for, or the only one; nullopt: none is named, and there isn't one alone.
std::optional<TenantId> only_membership(sql::Transaction& tx, PersonId person) {
  const auto tenants = accounts::list_memberships(tx, person, TenantId{}, 2);
  if (tenants.size() != 1) return std::nullopt;
  return tenants.front();
}

Result<accounts::Tenant> find_active(sql::Transaction& tx, const std::string& name_or_id) {
  auto tenant = [&]() -> Result<accounts::Tenant> {
    if (const auto id = parse_uuid(name_or_id)) {
      if (auto by_id = accounts::find_tenant(tx, TenantId{*id})) return by_id;
    }
    return accounts::find_tenant(tx, name_or_id);
  }();
  if (tenant && tenant->status != accounts::Status::active)
    return fail(Errc::not_found, "the tenant is suspended");
  return tenant;
}

bool enter_as_member(sql::TenantScope& scope, const Person& person, Caller& caller) {
  const auto member = accounts::find_member(scope, person.id);
  if (!member) return false;
  auto access = accounts::resolve_member(scope, *member);
  caller.permissions = access.permissions;
  caller.narrowing = std::move(access.narrowing);
  return true;
}

bool enter_as_guest(sql::TenantScope& scope, const Person& person, Timestamp now, Caller& caller) {
  const auto places = accounts::list_connections_of(scope.transaction(), person.email,
                                                    {scope.tenant(), {}}, kConnectionsRead);
  for (const auto& place : places) {
    if (place.tenant != scope.tenant()) break;
    const auto open = accounts::open_connection(scope, place.id, person.email, now);
    if (!open) continue;
    caller.permissions = caller.permissions | open->permissions;
    caller.original = person.email;
  }
  return !caller.original.empty();
}

}  // namespace

bool has_second_factor(sql::Transaction& tx, const Person& person) {
  return person.totp_secret.has_value() || !accounts::list_passkeys(tx, person.id).empty();
}

Result<PersonAnswer> find_person_caller(sql::Transaction& tx, const PersonQuestion& question) {
  auto session =
      accounts::find_session(tx, question.token_digest, question.now, question.session_idle);
  if (!session) return std::unexpected(session.error());
  auto person = accounts::find_person(tx, session->person);
  if (!person) return std::unexpected(person.error());
  if (person->status != accounts::PersonStatus::active)
    return fail(Errc::not_found, "the person may not sign in");

  PersonAnswer answer;
  answer.session = std::move(*session);
  Caller& caller = answer.caller;
  caller.kind = CallerKind::person;
  caller.id = person->id.text();
  caller.name = person->email;
  caller.verified_at = answer.session.verified;
  caller.sign_in = sign_in_of(tx, *person, answer.session, question);
  if (caller.sign_in != SignIn::whole) return answer;

  auto wanted = question.tenant;
  if (wanted.empty() && person->platform_role == accounts::PlatformRole::none) {
    if (const auto only = only_membership(tx, person->id)) wanted = only->text();
  }
  if (wanted.empty()) {
    if (person->platform_role == accounts::PlatformRole::operator_)
      caller.permissions = accounts::PermissionSet::all(accounts::Realm::platform);
    return answer;
  }
  const auto tenant = find_active(tx, wanted);
  if (tenant) {
    sql::TenantScope scope(tx, tenant->id);
    if (enter_as_member(scope, *person, caller) ||
        enter_as_guest(scope, *person, question.now, caller)) {
      caller.tenant = tenant->id;
      return answer;
    }
  }
  // A suspended only tenant isn't one that the request named.
  answer.tenant_unknown = !question.tenant.empty();
  return answer;
}

}  // namespace postern::web
