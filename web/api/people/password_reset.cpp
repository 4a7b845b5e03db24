// /v1/password-reset: a new password for who can read mail at the person's address.
#include "accounts/factors/one_time_token.hpp"
#include "accounts/factors/password_policy.hpp"
#include "accounts/people/one_time_token.hpp"
#include "accounts/people/person.hpp"
#include "core/crypto.hpp"
#include "web/access/person_mail.hpp"
#include "web/access/sessions.hpp"
#include "web/api/handlers.hpp"
#include "web/api/support.hpp"

namespace postern::web::api {

namespace {

// Second factors stay as they are, and are asked for at the next sign-in.
Result<void> reset(sql::Transaction& tx, const Act& act, const std::string& digest,
                   const std::string& hash) {
  auto token = accounts::consume_token(tx, digest, accounts::TokenKind::password_reset, act.at);
  if (!token) return std::unexpected(token.error());
  if (!token->person) return fail(Errc::not_found, "no such person");
  const auto person = accounts::find_person(tx, *token->person);
  if (!person) return std::unexpected(person.error());
  if (auto set = accounts::set_password_hash(tx, person->id, hash, act.at); !set) return set;
  if (person->status == accounts::PersonStatus::unverified) {
    auto proved = accounts::set_person_status(tx, person->id, accounts::PersonStatus::active);
    if (!proved) return proved;
  }
  accounts::revoke_sessions(tx, person->id);
  accounts::remove_tokens(tx, person->id);
  return enter_about_person(tx, act, *person, accounts::audit::Outcome::success);
}

}  // namespace

Task<Response> request_password_reset(Call& call) {
  mail_later(call.services, {PersonMail::password_reset, call.text("email")});
  co_return json_response(boost::json::object{{"status", "sent"}}, 202);
}

Task<Response> reset_password(Call& call) {
  const auto gone = [] { return problem(404, "Not found", "this link doesn't hold any more"); };
  const auto digest = accounts::token_digest(call.text("token"), accounts::kLinkPrefix);
  if (!digest) co_return gone();
  auto password = call.text("password");
  if (auto fit = accounts::check_new_password(password, {"", "", "", "postern"}); !fit)
    co_return bad_member("password", fit.error());
  auto hash = co_await call.services.passwords->hash(password);
  crypto::wipe(password);
  if (!hash) co_return problem(hash.error());
  const Act act = make_act(call.services, call.request, call.caller, call.route.name);
  auto done = co_await call.services.registry->change<void>(
      [act, digest = *digest, hash = *hash](sql::Transaction& tx) {
        return reset(tx, act, digest, hash);
      });
  if (!done && done.error().code == Errc::not_found) co_return gone();
  if (!done) co_return problem(done.error());
  co_return no_content();
}

}  // namespace postern::web::api
