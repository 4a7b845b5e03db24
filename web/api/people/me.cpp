// /v1/me: what people do about themselves: name, password, sessions, second factors.
#include "accounts/factors/password_policy.hpp"
#include "accounts/factors/recovery_codes.hpp"
#include "accounts/factors/totp.hpp"
#include "accounts/people/one_time_token.hpp"
#include "accounts/people/person.hpp"
#include "core/crypto.hpp"
#include "web/access/cookies.hpp"
#include "web/access/own_act.hpp"
#include "web/api/handlers.hpp"
#include "web/api/json_lists.hpp"
#include "web/api/support.hpp"

namespace postern::web::api {

namespace json = boost::json;
using accounts::Person;

namespace {

Task<Result<Person>> myself(Call& call) {
  co_return co_await call.services.registry->read<Person>(
      [id = call.session->person](sql::Transaction& tx) { return accounts::find_person(tx, id); });
}

json::object to_json(const accounts::WebSession& session, SessionId current) {
  return {{"id", session.id.text()},
          {"current", session.id == current},
          {"created_at", timestamp_text(session.created)},
          {"seen_at", timestamp_text(session.seen)},
          {"expires_at", timestamp_text(session.expires)},
          {"address", session.address},
          {"user_agent", session.user_agent}};
}

Response wrong_password() {
  return problem(403, "Not allowed", "that is not your current password", "current_password");
}

}  // namespace

Task<Response> rename_me(Call& call) {
  auto renamed = co_await own_act<void>(
      call, [id = call.session->person, name = call.text("name")](sql::Transaction& tx) {
        return accounts::set_person_name(tx, id, name);
      });
  if (!renamed) co_return problem(renamed.error());
  co_return no_content();
}

// Whoever knew the old password is out: all sessions end, this one too, and what was mailed before.
Task<Response> change_my_password(Call& call) {
  auto person = co_await myself(call);
  if (!person) co_return problem(person.error());
  auto fresh = call.text("password");
  if (auto fit = accounts::check_new_password(fresh, {person->email, person->name, "", "postern"});
      !fit) {
    co_return bad_member("password", fit.error());
  }
  if (person->password_hash) {
    auto right = co_await call.services.passwords->verify(call.text("current_password"),
                                                          *person->password_hash);
    if (!right) co_return problem(right.error());
    if (!*right) co_return wrong_password();
  }
  auto hash = co_await call.services.passwords->hash(fresh);
  crypto::wipe(fresh);
  if (!hash) co_return problem(hash.error());
  auto changed = co_await own_act<void>(
      call,
      [id = person->id, hash = *hash, now = call.now()](sql::Transaction& tx) -> Result<void> {
        if (auto set = accounts::set_password_hash(tx, id, hash, now); !set) return set;
        accounts::revoke_sessions(tx, id);
        accounts::remove_tokens(tx, id);
        return {};
      });
  if (!changed) co_return problem(changed.error());
  auto response = no_content();
  clear_session_cookies(response, call.request.peer.transport);
  co_return response;
}

Task<Response> list_my_sessions(Call& call) {
  using Sessions = std::vector<accounts::WebSession>;
  accounts::SessionPage page;
  page.idle = call.services.settings->web.session_idle;
  auto found = co_await call.services.registry->read<Sessions>(
      [id = call.session->person, now = call.now(),
       page](sql::Transaction& tx) -> Result<Sessions> {
        return accounts::list_sessions(tx, id, now, page);
      });
  if (!found) co_return problem(found.error());
  json::array items;
  for (const auto& session : *found) items.push_back(to_json(session, call.session->id));
  co_return json_response(json::object{{"items", std::move(items)}});
}

Task<Response> end_my_session(Call& call) {
  const auto id = parse_uuid(call.parameter("session"));
  if (!id) co_return problem(404, "Not found", "no such session");
  auto ended = co_await own_act<void>(
      call, [person = call.session->person, id = SessionId{*id}](sql::Transaction& tx) {
        return accounts::revoke_session(tx, person, id);
      });
  if (!ended && ended.error().code == Errc::not_found)
    co_return problem(404, "Not found", "no such session");
  if (!ended) co_return problem(ended.error());
  co_return no_content();
}

Task<Response> end_my_other_sessions(Call& call) {
  auto ended = co_await own_act<void>(
      call,
      [person = call.session->person, id = call.session->id](sql::Transaction& tx) -> Result<void> {
        accounts::revoke_other_sessions(tx, person, id);
        return {};
      });
  if (!ended) co_return problem(ended.error());
  co_return no_content();
}

// Nothing is stored until a code proves that the app has the secret.
Task<Response> offer_totp(Call& call) {
  auto person = co_await myself(call);
  if (!person) co_return problem(person.error());
  if (person->totp_secret)
    co_return problem(409, "Already there", "an authenticator app is set up: remove it first");
  const auto secret = accounts::make_totp_secret();
  auto response = json_response(json::object{
      {"secret", accounts::totp_secret_text(secret)},
      {"uri", accounts::totp_uri(secret, call.services.settings->hostname, person->email)}});
  response.secrecy = Response::Secrecy::secret;
  co_return response;
}

Task<Response> confirm_totp(Call& call) {
  const auto secret = accounts::parse_totp_secret(call.text("secret"));
  if (!secret) co_return problem(400, "Invalid request", "not a secret from here", "secret");
  const auto step = accounts::match_totp(*secret, call.text("code"), call.now(), std::nullopt);
  if (!step) co_return problem(400, "Invalid request", "not the app's code now", "code");
  const auto id = call.session->person;
  auto wrapped = call.services.keystore->master().wrap("totp:" + id.text(), *secret);
  if (!wrapped) co_return problem(wrapped.error());
  auto set = co_await own_act<void>(
      call,
      [id, session = call.session->id, wrapped = *wrapped, step = *step,
       now = call.now()](sql::Transaction& tx) -> Result<void> {
        if (auto held = accounts::hold_person(tx, id); !held) return held;
        auto person = accounts::find_person(tx, id);
        if (!person) return std::unexpected(person.error());
        if (person->totp_secret)
          return fail(Errc::exists, "an authenticator app is set up: remove it first");
        if (auto done = accounts::set_totp(tx, id, wrapped, step); !done) return done;
        // The code that proved it counts as this session's second factor.
        return accounts::set_session_verified(tx, session, accounts::Factor::totp, now);
      });
  if (!set) co_return problem(set.error());
  co_return no_content();
}

Task<Response> remove_totp(Call& call) {
  auto removed = co_await own_act<void>(call, [id = call.session->person](sql::Transaction& tx) {
    return accounts::clear_totp(tx, id);
  });
  if (!removed) co_return problem(removed.error());
  co_return no_content();
}

Task<Response> make_my_recovery_codes(Call& call) {
  auto made = accounts::make_recovery_codes();
  auto set = co_await own_act<void>(call, [id = call.session->person, salt = made.salt,
                                           digests = made.digests](sql::Transaction& tx) {
    return accounts::set_recovery_codes(tx, id, salt, digests);
  });
  if (!set) co_return problem(set.error());
  auto response = json_response(json::object{{"codes", texts_json(made.codes)}}, 201);
  response.secrecy = Response::Secrecy::secret;
  co_return response;
}

}  // namespace postern::web::api
