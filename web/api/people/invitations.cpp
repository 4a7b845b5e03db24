// /v1/invitations: people whom a tenant asked to join, until they accept.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>

#include "accounts/factors/one_time_token.hpp"
#include "accounts/factors/password_policy.hpp"
#include "accounts/people/member.hpp"
#include "accounts/people/narrowing.hpp"
#include "accounts/people/one_time_token.hpp"
#include "accounts/people/person.hpp"
#include "accounts/people/role.hpp"
#include "core/crypto.hpp"
#include "core/log.hpp"
#include "web/access/person_mail.hpp"
#include "web/access/sessions.hpp"
#include "web/api/handlers.hpp"
#include "web/api/json_lists.hpp"
#include "web/api/support.hpp"

namespace postern::web::api {

namespace json = boost::json;
using accounts::OneTimeToken;
using accounts::TokenKind;

namespace {

/// What an invitation offers; its payload as JSON.
struct Offer {
  std::string role;
  std::string name;
  accounts::Narrowing narrowing;
  std::string invited_by;
};

std::string to_payload(const Offer& offer) {
  return json::serialize(json::object{{"role", offer.role},
                                      {"name", offer.name},
                                      {"domains", texts_json(offer.narrowing.domains)},
                                      {"accounts", texts_json(offer.narrowing.accounts)},
                                      {"invited_by", offer.invited_by}});
}

// Only what to_payload() wrote comes here.
Offer parse_offer(const std::string& payload) {
  const auto value = json::parse(payload);
  return {json::value_to<std::string>(value.at("role")),
          json::value_to<std::string>(value.at("name")),
          {json::value_to<std::vector<std::string>>(value.at("domains")),
           json::value_to<std::vector<std::string>>(value.at("accounts"))},
          json::value_to<std::string>(value.at("invited_by"))};
}

json::object to_json(const OneTimeToken& token) {
  return {{"email", token.email},
          {"role", parse_offer(token.payload).role},
          {"created_at", timestamp_text(token.created)},
          {"expires_at", timestamp_text(token.expires)}};
}

struct Invited {
  OneTimeToken token;
  std::string tenant;  ///< its name
};

Result<Invited> insert_invitation(accounts::Reach& reach, const std::string& tenant_name,
                                  const std::string& digest, OneTimeToken token,
                                  const Offer& offer) {
  auto tenant = reach.tenant_or_own(tenant_name);
  if (!tenant) return std::unexpected(tenant.error());
  auto scope = reach.scope(tenant->id);
  if (auto known = accounts::check_role(scope, offer.role); !known)
    return std::unexpected(known.error());
  // Nobody invites somebody who may do more than they.
  if (!reach.caller().permissions.contains(accounts::role_permissions(scope, offer.role)))
    return fail(Errc::denied, "that role may more than you may");
  if (auto fit = accounts::check_narrowing(scope, offer.narrowing); !fit)
    return std::unexpected(fit.error());
  reach.set_target("person:" + token.email);
  token.tenant = tenant->id;
  auto added = accounts::add_token(scope.transaction(), digest, token);
  if (!added) return std::unexpected(added.error());
  return Invited{std::move(*added), tenant->name};
}

}  // namespace

Task<Response> add_invitation(Call& call) {
  const Offer offer{call.text("role"),
                    call.text("name"),
                    {call.texts("domains"), call.texts("accounts")},
                    call.caller.name};
  const auto link = make_link(call.services, TokenKind::invitation);
  OneTimeToken token;
  token.kind = TokenKind::invitation;
  token.email = call.text("email");
  token.payload = to_payload(offer);
  token.created = call.now();
  token.expires = call.now() + lifetime_of(TokenKind::invitation);
  auto added = co_await call.change<Invited>(
      [tenant = call.text("tenant"), digest = link.digest, token, offer](accounts::Reach& reach) {
        return insert_invitation(reach, tenant, digest, token, offer);
      });
  if (!added) co_return problem(added.error());
  auto sent = co_await mail_invitation(call.services, added->token.email, added->tenant, link.url);
  if (!sent) co_return problem(sent.error());
  co_return json_response(to_json(added->token), 201);
}

Task<Response> list_invitations(Call& call) {
  using Tokens = std::vector<OneTimeToken>;
  auto found =
      co_await call.read<Tokens>([tenant = call.query("tenant"), after = call.query("cursor")](
                                     accounts::Reach& reach) -> Result<Tokens> {
        auto owner = reach.tenant_or_own(tenant);
        if (!owner) return std::unexpected(owner.error());
        auto scope = reach.scope(owner->id);
        return accounts::list_invitations(scope.transaction(), owner->id, after, kPage);
      });
  if (!found) co_return problem(found.error());
  json::array items;
  for (const auto& token : *found) items.push_back(to_json(token));
  co_return list_response(std::move(items), found->size(),
                          found->empty() ? "" : found->back().email);
}

Task<Response> delete_invitation(Call& call) {
  auto removed =
      co_await call.change<void>([email = call.parameter("email"), tenant = call.query("tenant")](
                                     accounts::Reach& reach) -> Result<void> {
        auto owner = reach.tenant_or_own(tenant);
        if (!owner) return std::unexpected(owner.error());
        reach.set_target("person:" + email);
        auto scope = reach.scope(owner->id);
        return accounts::remove_invitation(scope.transaction(), owner->id, email);
      });
  if (!removed && removed.error().code == Errc::not_found)
    co_return problem(404, "Not found", "no such invitation");
  if (!removed) co_return problem(removed.error());
  co_return no_content();
}

namespace {

struct Acceptance {
  std::string digest;
  accounts::NewPerson person;
};

Result<void> prove_address(sql::Transaction& tx, const accounts::Person& person) {
  if (person.status == accounts::PersonStatus::unverified)
    return accounts::set_person_status(tx, person.id, accounts::PersonStatus::active);
  if (person.status != accounts::PersonStatus::active)
    return fail(Errc::not_found, "the person may not sign in");
  return {};
}

// The link proves the address: who isn't a person yet becomes one. Somebody who is keeps their
// password; the one given here is for new people.
Result<PersonId> accept(sql::Transaction& tx, const Act& act, const Acceptance& acceptance) {
  auto token = accounts::consume_token(tx, acceptance.digest, TokenKind::invitation, act.at);
  if (!token) return std::unexpected(token.error());
  const auto offer = parse_offer(token->payload);
  auto person = accounts::find_person(tx, token->email);
  if (!person) {
    auto fresh = acceptance.person;
    fresh.email = token->email;
    if (fresh.name.empty()) fresh.name = offer.name;
    person = accounts::add_person(tx, fresh);
    if (!person) return std::unexpected(person.error());
  }
  if (auto open = prove_address(tx, *person); !open) return std::unexpected(open.error());
  sql::TenantScope scope(tx, token->tenant.value_or(TenantId{}));
  auto member = accounts::add_member(
      scope, {person->id, offer.role, offer.narrowing, offer.invited_by, act.at});
  if (!member) return std::unexpected(member.error());
  auto entered = enter_about_person(tx, act, *person, accounts::audit::Outcome::success);
  if (!entered) return std::unexpected(entered.error());
  return person->id;
}

}  // namespace

Task<Response> accept_invitation(Call& call) {
  const auto gone = [] {
    return problem(404, "Not found", "this invitation doesn't hold any more");
  };
  const auto digest = accounts::token_digest(call.text("token"), accounts::kLinkPrefix);
  if (!digest) co_return gone();
  Acceptance acceptance{*digest,
                        {PersonId::make(), "", call.text("name"), std::nullopt,
                         accounts::PersonStatus::active, call.now()}};
  auto password = call.text("password");
  if (!password.empty()) {
    if (auto fit = accounts::check_new_password(password, {"", call.text("name"), "", "postern"});
        !fit) {
      co_return bad_member("password", fit.error());
    }
    auto hash = co_await call.services.passwords->hash(password);
    crypto::wipe(password);
    if (!hash) co_return problem(hash.error());
    acceptance.person.password_hash = std::move(*hash);
  }
  const Act act = make_act(call.services, call.request, call.caller, call.route.name);
  auto person = co_await call.services.registry->change<PersonId>(
      [act, acceptance](sql::Transaction& tx) { return accept(tx, act, acceptance); });
  if (!person && person.error().code == Errc::not_found) co_return gone();
  if (!person) co_return problem(person.error());
  co_return co_await answer_with_session(call,
                                         {*person, accounts::bits(accounts::Factor::mailed_link)});
}

}  // namespace postern::web::api
