// /v1/sign-up: a tenant of one's own, once it is shown that one reads mail at the address. Closed
// unless the operator opened it (web.sign_up).
#include "accounts/factors/one_time_token.hpp"
#include "accounts/factors/password_policy.hpp"
#include "accounts/people/member.hpp"
#include "accounts/people/one_time_token.hpp"
#include "accounts/people/person.hpp"
#include "core/crypto.hpp"
#include "web/access/person_mail.hpp"
#include "web/access/sessions.hpp"
#include "web/api/handlers.hpp"
#include "web/api/support.hpp"

namespace postern::web::api {

namespace {

Response closed() {
  return problem(403, "Closed", "this server's operator makes tenants, they don't sign up");
}

struct SignUp {
  std::string digest;
  accounts::NewPerson person;
  accounts::NewTenant tenant;
};

Result<PersonId> finish(sql::Transaction& tx, const Act& act, const SignUp& wanted) {
  auto token =
      accounts::consume_token(tx, wanted.digest, accounts::TokenKind::verify_email, act.at);
  if (!token) return std::unexpected(token.error());
  auto fresh = wanted.person;
  fresh.email = token->email;
  auto person = accounts::add_person(tx, fresh);
  if (!person) return std::unexpected(person.error());
  auto tenant = accounts::add_tenant(tx, wanted.tenant);
  if (!tenant) return std::unexpected(tenant.error());
  sql::TenantScope scope(tx, tenant->id);
  auto owner = accounts::add_member(scope, {person->id, "owner", {}, person->email, act.at});
  if (!owner) return std::unexpected(owner.error());
  auto entered = enter_about_person(tx, act, *person, accounts::audit::Outcome::success);
  if (!entered) return std::unexpected(entered.error());
  return person->id;
}

}  // namespace

Task<Response> request_sign_up(Call& call) {
  if (!call.services.settings->web.sign_up) co_return closed();
  mail_later(call.services, {PersonMail::sign_up, call.text("email")});
  co_return json_response(boost::json::object{{"status", "sent"}}, 202);
}

Task<Response> confirm_sign_up(Call& call) {
  if (!call.services.settings->web.sign_up) co_return closed();
  const auto gone = [] { return problem(404, "Not found", "this link doesn't hold any more"); };
  const auto digest = accounts::token_digest(call.text("token"), accounts::kLinkPrefix);
  if (!digest) co_return gone();
  auto password = call.text("password");
  if (auto fit = accounts::check_new_password(
          password, {"", call.text("name"), call.text("tenant"), "postern"});
      !fit) {
    co_return bad_member("password", fit.error());
  }
  auto hash = co_await call.services.passwords->hash(password);
  crypto::wipe(password);
  if (!hash) co_return problem(hash.error());
  SignUp wanted{*digest,
                {PersonId::make(), "", call.text("name"), std::move(*hash),
                 accounts::PersonStatus::active, call.now()},
                {TenantId::make(), call.text("tenant"),
                 static_cast<std::uint32_t>(call.services.store->mail_shards()), "", call.now()}};
  auto wrapped = call.services.keystore->make_wrapped_data_key(wanted.tenant.id);
  if (!wrapped) co_return problem(wrapped.error());
  wanted.tenant.wrapped_data_key = std::move(*wrapped);
  const Act act = make_act(call.services, call.request, call.caller, call.route.name);
  auto person = co_await call.services.registry->change<PersonId>(
      [act, wanted](sql::Transaction& tx) { return finish(tx, act, wanted); });
  if (!person && person.error().code == Errc::not_found) co_return gone();
  if (!person) co_return problem(person.error());
  co_return co_await answer_with_session(call,
                                         {*person, accounts::bits(accounts::Factor::mailed_link) |
                                                       accounts::bits(accounts::Factor::password)});
}

}  // namespace postern::web::api
