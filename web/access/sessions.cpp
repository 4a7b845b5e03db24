#include "web/access/sessions.hpp"

#include <boost/json/array.hpp>

#include "accounts/factors/one_time_token.hpp"
#include "accounts/people/member.hpp"
#include "web/access/cookies.hpp"
#include "web/access/person_caller.hpp"
#include "web/api/people/session_json.hpp"

namespace postern::web {

namespace {
constexpr std::size_t kTenantsTold = 100;  // chains that a sign-in is entered in
// Strangers make these, and may not see by the time how many there are.
constexpr std::size_t kTenantsToldOfFailure = 2;
}  // namespace

StartedSession prepare_session(const Call& call, const SessionStart& start) {
  const auto now = call.now();
  StartedSession started;
  started.token = accounts::make_secret_token(kSessionPrefix);
  auto& session = started.session;
  session.id = SessionId::make();
  session.person = start.person;
  session.created = session.seen = now;
  session.expires = now + Micros(call.services.settings->web.session_lifetime);
  if (start.verified) session.verified = now;
  session.address = call.request.peer.address;
  if (const auto agent = call.request.headers.find("user-agent");
      agent != call.request.headers.end()) {
    session.user_agent = agent->second.substr(0, accounts::kMaxUserAgent);
  }
  session.factors = start.factors;
  return started;
}

Result<void> enter_about_person(sql::Transaction& tx, const Act& act,
                                const accounts::Person& person, accounts::audit::Outcome outcome) {
  Act by_person = act;
  by_person.caller.kind = accounts::CallerKind::person;
  by_person.caller.id = person.id.text();
  by_person.caller.name = person.email;
  auto record = record_of(by_person, "person:" + person.email);
  record.outcome = outcome;
  if (auto entered = act.chain->append(tx, TenantId{}, record); !entered) return entered;
  const auto most =
      outcome == accounts::audit::Outcome::failure ? kTenantsToldOfFailure : kTenantsTold;
  for (const auto tenant : accounts::list_memberships(tx, person.id, TenantId{}, most)) {
    record.id = accounts::audit::AuditId::make();
    if (auto entered = act.chain->append(tx, tenant, record); !entered) return entered;
  }
  return {};
}

Result<void> begin_session(sql::Transaction& tx, const Act& act, const StartedSession& started,
                           const SessionStart& start) {
  const auto person = accounts::find_person(tx, start.person);
  if (!person) return std::unexpected(person.error());
  if (start.in_place_of) {
    if (auto ended = accounts::revoke_session(tx, start.person, *start.in_place_of); !ended)
      return ended;
  }
  const auto digest = accounts::token_digest(started.token, kSessionPrefix);
  auto added = accounts::add_session(tx, digest.value_or(""), started.session);
  if (!added) return std::unexpected(added.error());
  // Failures count until the sign-in is whole: a password alone must not wipe wrong codes away.
  if (start.verified || !has_second_factor(tx, *person)) {
    if (auto noted = accounts::note_sign_in(tx, start.person, act.at); !noted) return noted;
  }
  return enter_about_person(tx, act, *person, accounts::audit::Outcome::success);
}

Task<Response> answer_with_session(Call& call, SessionStart start) {
  const auto started = prepare_session(call, start);
  const Act act = make_act(call.services, call.request, call.caller, call.route.name);
  auto begun =
      co_await call.services.registry->note<void>([act, started, start](sql::Transaction& tx) {
        return begin_session(tx, act, started, start);
      });
  if (!begun) co_return problem(begun.error());
  auto response = co_await session_response(call, started.session, started.token, 201);
  set_session_cookies(response, call.request.peer.transport, started.token);
  co_return response;
}

}  // namespace postern::web
