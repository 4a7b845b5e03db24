// /v1/operators: people who run the platform, and the account for emergencies.
#include "accounts/credentials.hpp"
#include "accounts/people/connection.hpp"
#include "accounts/people/one_time_token.hpp"
#include "accounts/people/person.hpp"
#include "web/access/person_mail.hpp"
#include "web/api/handlers.hpp"
#include "web/api/json_lists.hpp"
#include "web/api/support.hpp"

namespace postern::web::api {

namespace json = boost::json;
using accounts::Person;

namespace {

constexpr auto kManage = accounts::Permission::operator_manage;

json::object to_json(const Person& person) {
  return {{"person", person.id.text()},
          {"email", person.email},
          {"name", person.name},
          {"break_glass", person.break_glass == accounts::BreakGlass::yes},
          {"last_sign_in_at", time_or_null(person.last_sign_in)}};
}

struct Wanted {
  accounts::NewPerson person;
  accounts::BreakGlass break_glass = accounts::BreakGlass::no;
  accounts::OneTimeToken token;
  std::string digest;
};

struct Added {
  Person person;
  bool with_link = false;
};

Result<Added> insert_operator(accounts::Reach& reach, Wanted wanted) {
  auto everything = reach.unscoped(kManage, "make an operator");
  if (!everything) return std::unexpected(everything.error());
  auto& tx = **everything;
  auto person = accounts::find_person(tx, wanted.person.email);
  const bool awaited = accounts::has_connections(tx, wanted.person.email);
  const auto known = person || awaited ? Known::yes : Known::no;
  if (known == Known::yes && wanted.break_glass == accounts::BreakGlass::yes)
    return fail(Errc::exists, "a break-glass account is a new person, and nothing else");
  if (!person && person.error().code == Errc::not_found)
    person = accounts::add_person(tx, wanted.person);
  if (!person) return std::unexpected(person.error());
  reach.set_target("person:" + person->email);
  auto set = accounts::set_platform_role(tx, person->id, accounts::PlatformRole::operator_,
                                         wanted.break_glass);
  if (!set) return std::unexpected(set.error());
  const bool with_link =
      wanted.break_glass == accounts::BreakGlass::no && may_see_link(reach.caller(), known);
  if (with_link) {
    wanted.token.person = person->id;
    auto token = accounts::add_token(tx, wanted.digest, wanted.token);
    if (!token) return std::unexpected(token.error());
  }
  person = accounts::find_person(tx, person->id);
  if (!person) return std::unexpected(person.error());
  return Added{std::move(*person), with_link};
}

}  // namespace

Task<Response> add_operator(Call& call) {
  const auto now = call.now();
  const bool sealed = call.flag("break_glass").value_or(false);
  Wanted wanted;
  wanted.person = {PersonId::make(),
                   call.text("email"),
                   call.text("name"),
                   std::nullopt,
                   sealed ? accounts::PersonStatus::active : accounts::PersonStatus::unverified,
                   now};
  wanted.break_glass = sealed ? accounts::BreakGlass::yes : accounts::BreakGlass::no;
  const auto link = make_link(call.services, accounts::TokenKind::sign_in_link);
  wanted.token.kind = accounts::TokenKind::sign_in_link;
  wanted.token.email = call.text("email");
  wanted.token.created = now;
  wanted.token.expires = now + lifetime_of(accounts::TokenKind::invitation);
  wanted.digest = link.digest;
  const auto password = accounts::make_password();
  if (sealed) {
    auto hash = co_await call.services.passwords->hash(password);
    if (!hash) co_return problem(hash.error());
    wanted.person.password_hash = std::move(*hash);
  }
  auto added = co_await call.change<Added>(
      [wanted](accounts::Reach& reach) { return insert_operator(reach, wanted); });
  if (!added) co_return problem(added.error());
  json::object document = to_json(added->person);
  if (sealed) document["password"] = password;
  if (added->with_link) document["sign_in_link"] = link.url;
  auto response = json_response(document, 201);
  response.secrecy = Response::Secrecy::secret;
  co_return response;
}

Task<Response> list_operators(Call& call) {
  using People = std::vector<Person>;
  auto found = co_await call.read<People>(
      [after = call.query("cursor")](accounts::Reach& reach) -> Result<People> {
        auto tx = reach.unscoped(kManage, "list the operators");
        if (!tx) return std::unexpected(tx.error());
        return accounts::list_operators(**tx, after, kPage);
      });
  if (!found) co_return problem(found.error());
  json::array items;
  for (const auto& person : *found) items.push_back(to_json(person));
  co_return list_response(std::move(items), found->size(),
                          found->empty() ? "" : found->back().email);
}

Task<Response> remove_operator(Call& call) {
  auto removed = co_await call.change<void>(
      [email = call.parameter("email")](accounts::Reach& reach) -> Result<void> {
        auto tx = reach.unscoped(kManage, "end an operator's rights");
        if (!tx) return std::unexpected(tx.error());
        auto person = accounts::find_person(**tx, email);
        if (!person) return std::unexpected(person.error());
        if (person->platform_role == accounts::PlatformRole::none)
          return fail(Errc::not_found, "not an operator: " + person->email);
        reach.set_target("person:" + person->email);
        return accounts::set_platform_role(**tx, person->id, accounts::PlatformRole::none,
                                           accounts::BreakGlass::no);
      });
  if (!removed) co_return problem(removed.error());
  co_return no_content();
}

}  // namespace postern::web::api
