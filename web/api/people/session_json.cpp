#include "web/api/people/session_json.hpp"

#include "accounts/factors/one_time_token.hpp"
#include "accounts/people/member.hpp"
#include "accounts/people/passkey.hpp"
#include "accounts/people/person.hpp"
#include "web/access/cookies.hpp"
#include "web/access/person_caller.hpp"
#include "web/api/json_lists.hpp"

namespace postern::web {

namespace json = boost::json;
using accounts::SignIn;

namespace {

constexpr std::size_t kTenantsShown = 1000;

struct View {
  accounts::Person person;
  accounts::Caller caller;
  json::array tenants;
  json::array factors;
};

std::string_view text_of(SignIn sign_in) {
  switch (sign_in) {
    case SignIn::whole: return "whole";
    case SignIn::half: return "half";
    case SignIn::enrolling: return "enrolling";
    case SignIn::none: break;
  }
  return "none";
}

json::array factors_of(sql::Transaction& tx, const accounts::Person& person) {
  json::array factors;
  if (person.totp_secret) factors.emplace_back("totp");
  if (!accounts::list_passkeys(tx, person.id).empty()) factors.emplace_back("passkey");
  if (accounts::count_recovery_codes(tx, person.id) > 0) factors.emplace_back("recovery_code");
  return factors;
}

json::array tenants_of(sql::Transaction& tx, const accounts::Person& person) {
  json::array tenants;
  for (const auto id : accounts::list_memberships(tx, person.id, TenantId{}, kTenantsShown)) {
    const auto tenant = accounts::find_tenant(tx, id);
    sql::TenantScope scope(tx, id);
    const auto member = accounts::find_member(scope, person.id);
    if (!tenant || !member) continue;
    tenants.push_back(
        json::object{{"id", id.text()}, {"name", tenant->name}, {"role", member->role}});
  }
  return tenants;
}

// Asked anew, since a session that was just begun answers for itself.
Result<View> view_of(sql::Transaction& tx, const PersonQuestion& question) {
  auto answer = find_person_caller(tx, question);
  if (!answer) return std::unexpected(answer.error());
  auto person = accounts::find_person(tx, answer->session.person);
  if (!person) return std::unexpected(person.error());
  View view{std::move(*person), std::move(answer->caller), {}, {}};
  view.tenants = tenants_of(tx, view.person);
  view.factors = factors_of(tx, view.person);
  return view;
}

}  // namespace

Task<Response> session_response(Call& call, accounts::WebSession session, std::string token,
                                unsigned status) {
  const auto& web = call.services.settings->web;
  const auto header = call.request.headers.find("postern-tenant");
  const PersonQuestion question{
      accounts::token_digest(token, kSessionPrefix).value_or(""),
      header == call.request.headers.end() ? std::string() : header->second, web.session_idle,
      call.now(), web.require_second_factor};
  auto view = co_await call.services.registry->read<View>(
      [question](sql::Transaction& tx) { return view_of(tx, question); });
  if (!view) co_return problem(view.error());
  const bool runs_platform = view->person.platform_role == accounts::PlatformRole::operator_;
  json::object document{{"id", session.id.text()},
                        {"person", view->person.id.text()},
                        {"email", view->person.email},
                        {"name", view->person.name},
                        {"sign_in", text_of(view->caller.sign_in)},
                        {"second_factors", std::move(view->factors)},
                        {"operator", runs_platform},
                        {"tenants", std::move(view->tenants)},
                        {"permissions", api::names_json(view->caller.permissions)},
                        {"verified_at", api::time_or_null(session.verified)},
                        {"expires_at", timestamp_text(session.expires)},
                        {"csrf_token", csrf_token(token)}};
  auto response = json_response(document, status);
  response.secrecy = Response::Secrecy::secret;
  co_return response;
}

}  // namespace postern::web
