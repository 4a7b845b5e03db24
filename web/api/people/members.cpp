// /v1/people: who belongs to a tenant, with which role, narrowed to what.
#include "accounts/people/connection.hpp"
#include "accounts/people/member.hpp"
#include "accounts/people/one_time_token.hpp"
#include "accounts/people/person.hpp"
#include "web/access/person_mail.hpp"
#include "web/api/handlers.hpp"
#include "web/api/json_lists.hpp"
#include "web/api/support.hpp"
#include "web/http/entity_tag.hpp"

namespace postern::web::api {

namespace json = boost::json;
using accounts::Member;
using accounts::Person;

namespace {

struct View {
  Member member;
  std::string email;
  std::string name;
};

json::object to_json(const View& view) {
  return {{"person", view.member.person.text()},
          {"email", view.email},
          {"name", view.name},
          {"role", view.member.role},
          {"owner", view.member.owner},
          {"domains", texts_json(view.member.narrowing.domains)},
          {"accounts", texts_json(view.member.narrowing.accounts)},
          {"created_at", timestamp_text(view.member.created)}};
}

View view_of(sql::TenantScope& scope, Member member) {
  const auto person = accounts::find_person(scope.transaction(), member.person);
  View view{std::move(member), {}, {}};
  if (person) {
    view.email = person->email;
    view.name = person->name;
  }
  return view;
}

Response no_person() { return problem(404, "Not found", "no such person in this tenant"); }

Response refusal(const Error& error) {
  return error.code == Errc::not_found ? no_person() : problem(error);
}

Result<sql::TenantScope> tables(accounts::Reach& reach, const std::string& tenant) {
  auto owner = reach.tenant_or_own(tenant);
  if (!owner) return std::unexpected(owner.error());
  return reach.scope(owner->id);
}

// A person by id or address; of this tenant, or nobody.
Result<Member> member_of(sql::TenantScope& scope, const std::string& id_or_email) {
  if (const auto id = parse_uuid(id_or_email)) return accounts::find_member(scope, PersonId{*id});
  auto person = accounts::find_person(scope.transaction(), id_or_email);
  if (!person) return std::unexpected(person.error());
  return accounts::find_member(scope, person->id);
}

// Nobody gives or takes what is above themselves.
Result<void> check_rank(accounts::Reach& reach, sql::TenantScope& scope, const Member& member) {
  const auto access = accounts::resolve_member(scope, member);
  if (reach.caller().permissions.contains(access.permissions)) return {};
  return fail(Errc::denied, "that role may more than you may");
}

struct Wanted {
  accounts::NewPerson person;
  accounts::NewMember member;
  accounts::OneTimeToken token;
  std::string digest;
  std::string tenant;
};

struct Added {
  View view;
  bool with_link = false;
};

// An operator who is a person reaches no tenant's tables otherwise. Here the permission of the
// platform lets them in the first people, who invite the others: it must not be a way into a tenant
// that has its own.
Result<void> check_first(const accounts::Reach& reach, sql::TenantScope& scope) {
  if (reach.caller().kind == accounts::CallerKind::operator_) return {};
  if (accounts::list_members(scope, PersonId{}, 1).empty()) return {};
  return fail(Errc::denied, "the tenant has people: they invite others");
}

Result<Added> insert_member(accounts::Reach& reach, Wanted wanted) {
  auto everything = reach.unscoped(accounts::Permission::operator_manage, "add a person");
  if (!everything) return std::unexpected(everything.error());
  auto& tx = **everything;
  auto tenant = reach.tenant_or_own(wanted.tenant);
  if (!tenant) return std::unexpected(tenant.error());
  sql::TenantScope scope(tx, tenant->id);
  if (auto fit = check_first(reach, scope); !fit) return std::unexpected(fit.error());
  auto person = accounts::find_person(tx, wanted.person.email);
  const bool awaited = accounts::has_connections(tx, wanted.person.email);
  const auto known = person || awaited ? Known::yes : Known::no;
  if (!person && person.error().code == Errc::not_found)
    person = accounts::add_person(tx, wanted.person);
  if (!person) return std::unexpected(person.error());
  reach.set_target("person:" + person->email);
  wanted.member.person = person->id;
  auto member = accounts::add_member(scope, wanted.member);
  if (!member) return std::unexpected(member.error());
  Added added{view_of(scope, *member), may_see_link(reach.caller(), known)};
  if (!added.with_link) return added;
  wanted.token.person = person->id;
  auto token = accounts::add_token(tx, wanted.digest, wanted.token);
  if (!token) return std::unexpected(token.error());
  return added;
}

}  // namespace

// By an operator: the person is a member at once, and the link lets them in.
Task<Response> add_person(Call& call) {
  const auto link = make_link(call.services, accounts::TokenKind::sign_in_link);
  const auto now = call.now();
  Wanted wanted;
  wanted.person = {PersonId::make(),
                   call.text("email"),
                   call.text("name"),
                   std::nullopt,
                   accounts::PersonStatus::unverified,
                   now};
  wanted.member.role = call.text("role");
  wanted.member.narrowing = {call.texts("domains"), call.texts("accounts")};
  wanted.member.invited_by = call.caller.name;
  wanted.member.created = now;
  wanted.token.kind = accounts::TokenKind::sign_in_link;
  wanted.token.email = call.text("email");
  wanted.token.created = now;
  wanted.token.expires = now + lifetime_of(accounts::TokenKind::invitation);
  wanted.digest = link.digest;
  wanted.tenant = call.text("tenant");
  auto added = co_await call.change<Added>(
      [wanted](accounts::Reach& reach) { return insert_member(reach, wanted); });
  if (!added) co_return problem(added.error());
  json::object document = to_json(added->view);
  if (added->with_link) document["sign_in_link"] = link.url;
  auto response = json_response(document, 201);
  response.secrecy = Response::Secrecy::secret;
  co_return response;
}

Task<Response> list_people(Call& call) {
  const auto after = parse_uuid(call.query("cursor")).value_or(Uuid{});
  auto found = co_await call.read<std::vector<View>>(
      [tenant = call.query("tenant"), after](accounts::Reach& reach) -> Result<std::vector<View>> {
        auto scope = tables(reach, tenant);
        if (!scope) return std::unexpected(scope.error());
        std::vector<View> views;
        for (auto& member : accounts::list_members(*scope, PersonId{after}, kPage))
          views.push_back(view_of(*scope, std::move(member)));
        return views;
      });
  if (!found) co_return problem(found.error());
  json::array items;
  for (const auto& view : *found) items.push_back(to_json(view));
  co_return list_response(std::move(items), found->size(),
                          found->empty() ? "" : found->back().member.person.text());
}

Task<Response> show_person(Call& call) {
  auto found =
      co_await call.read<View>([who = call.parameter("person"), tenant = call.query("tenant")](
                                   accounts::Reach& reach) -> Result<View> {
        auto scope = tables(reach, tenant);
        if (!scope) return std::unexpected(scope.error());
        auto member = member_of(*scope, who);
        if (!member) return std::unexpected(member.error());
        return view_of(*scope, *member);
      });
  if (!found) co_return refusal(found.error());
  co_return with_entity_tag(json_response(to_json(*found)));
}

namespace {

struct Change {
  std::string who;
  std::string tenant;
  std::string role;
  std::optional<accounts::Narrowing> narrowing;
  std::string if_match;
};

// nullopt: somebody else changed it meanwhile.
Result<std::optional<View>> change_member(accounts::Reach& reach, const Change& change) {
  auto scope = tables(reach, change.tenant);
  if (!scope) return std::unexpected(scope.error());
  auto member = member_of(*scope, change.who);
  if (!member) return std::unexpected(member.error());
  const auto before = view_of(*scope, *member);
  if (!entity_tag_matches(change.if_match, to_json(before))) return std::nullopt;
  reach.set_target("person:" + before.email);
  if (auto fit = check_rank(reach, *scope, *member); !fit) return std::unexpected(fit.error());
  if (!change.role.empty()) {
    auto set = accounts::set_member_role(*scope, member->person, change.role);
    if (!set) return std::unexpected(set.error());
  }
  if (change.narrowing) {
    auto set = accounts::set_member_narrowing(*scope, member->person, *change.narrowing);
    if (!set) return std::unexpected(set.error());
  }
  auto after = accounts::find_member(*scope, member->person);
  if (!after) return std::unexpected(after.error());
  if (auto fit = check_rank(reach, *scope, *after); !fit) return std::unexpected(fit.error());
  return view_of(*scope, *after);
}

}  // namespace

Task<Response> update_person(Call& call) {
  Change change{call.parameter("person"), call.query("tenant"), call.text("role"), std::nullopt,
                call.if_match()};
  if (call.given("domains") || call.given("accounts"))
    change.narrowing = {call.texts("domains"), call.texts("accounts")};
  auto changed = co_await call.change<std::optional<View>>(
      [change](accounts::Reach& reach) { return change_member(reach, change); });
  if (!changed) co_return refusal(changed.error());
  if (!*changed) co_return precondition_failed();
  co_return with_entity_tag(json_response(to_json(**changed)));
}

Task<Response> remove_person(Call& call) {
  auto removed =
      co_await call.change<void>([who = call.parameter("person"), tenant = call.query("tenant")](
                                     accounts::Reach& reach) -> Result<void> {
        auto scope = tables(reach, tenant);
        if (!scope) return std::unexpected(scope.error());
        auto member = member_of(*scope, who);
        if (!member) return std::unexpected(member.error());
        reach.set_target("person:" + view_of(*scope, *member).email);
        if (auto fit = check_rank(reach, *scope, *member); !fit) return fit;
        return accounts::remove_member(*scope, member->person);
      });
  if (!removed) co_return refusal(removed.error());
  co_return no_content();
}

}  // namespace postern::web::api
