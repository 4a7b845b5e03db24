#include "tests/security/tenancy.hpp"

#include <fmt/format.h>

#include "accounts/factors/totp.hpp"
#include "accounts/people/passkey.hpp"
#include "app/server/options.hpp"
#include "core/encoding.hpp"
#include "smtp/reception/origination.hpp"
#include "tests/support/eventually.hpp"
#include "web/api/timestamp.hpp"

namespace postern::test {

namespace json = boost::json;
using web::Method;

namespace {

std::string post(House& house, const std::string& path, const json::value& body,
                 std::string_view member, const Texts& query = {}) {
  return text_at(house.done(Method::post, path, kManagement, body, query), member);
}

// The domain "NAME.example", and what hangs below it.
void add_domain(House& house, Tenancy& made, const std::string& name) {
  auto& things = made.things;
  const auto& domain = things["domain"] = name + ".example";
  things["address"] = "box@" + domain;
  things["alias"] = "alias@" + domain;
  things["target"] = "domain:" + domain;
  house.done(Method::post, "/v1/domains", kManagement, {{"domain", domain}, {"tenant", made.name}});
  house.done(Method::post, "/v1/domains/" + domain + "/check", kManagement);
  for (const auto* box : {"postmaster@", "box@"}) {
    made.identifiers.insert(post(house, "/v1/accounts",
                                 {{"address", box + domain}, {"password", "correct horse staple"}},
                                 "id"));
  }
  const auto account = "/v1/accounts/" + percent_encoded(things["address"]);
  const auto credential = house.done(Method::post, account + "/credentials", kManagement,
                                     {{"label", name + "-telephone"}});
  things["credential"] = text_at(credential, "id");
  made.identifiers.insert(text_at(credential, "selector"));
  house.done(Method::post, account + "/grants", kManagement, {{"domain", domain}});
  house.done(Method::post, "/v1/aliases", kManagement,
             {{"address", things["alias"]}, {"targets", json::array{things["address"]}}});
}

// As a browser would have registered it; nothing is ever signed with it.
std::string add_passkey(House& house, const std::string& person, const std::string& name) {
  accounts::Passkey passkey;
  passkey.credential_id = name + "-passkey-credential";
  passkey.person = PersonId{parse_uuid(person).value()};
  passkey.public_key = std::string(64, 'k');
  passkey.algorithm = -7;
  passkey.label = name + "-passkey";
  passkey.created = house.clock.now();
  must(house.parts->registry->change_blocking<accounts::Passkey>(
      [passkey](sql::Transaction& tx) { return accounts::add_passkey(tx, passkey); }));
  return base64url_encode(passkey.credential_id);
}

void add_people(House& house, Tenancy& made, const std::string& agency) {
  auto& things = made.things;
  const Texts here{{"tenant", made.name}};
  const auto& domain = things["domain"];
  things["role"] = post(
      house, "/v1/roles",
      {{"name", made.name + "-role"}, {"permissions", json::array{"domain.read", "account.read"}}},
      "id", here);
  const auto owner =
      house.done(Method::post, "/v1/people", kManagement,
                 {{"email", "owner@" + domain}, {"role", "owner"}, {"tenant", made.name}});
  made.owner = sign_in_by_link(house, text_at(owner, "sign_in_link"));
  made.totp_secret = set_up_totp(house, made.owner);
  const auto session = house.done(Method::get, "/v1/session", made.owner);
  things["session"] = text_at(session, "id");
  const auto member =
      house.done(Method::post, "/v1/people", kManagement,
                 {{"email", "clerk@" + domain}, {"role", "viewer"}, {"tenant", made.name}});
  things["person"] = text_at(member, "person");
  things["member_email"] = "clerk@" + domain;
  made.people = {text_at(owner, "person"), things["person"]};
  things["passkey"] = add_passkey(house, made.people[0], made.name);
  things["email"] = "guest@" + domain;
  house.done(Method::post, "/v1/invitations", kManagement,
             {{"email", things["email"]}, {"role", "viewer"}, {"tenant", made.name}});
  const auto until = web::timestamp_text(house.clock.now() + std::chrono::days(30));
  things["connection"] = post(house, "/v1/connections",
                              {{"email", agency},
                               {"permissions", json::array{"domain.read"}},
                               {"reason", made.name + " needs help"},
                               {"expires_at", until}},
                              "id", here);
}

}  // namespace

smtp::reception::Environment reception_environment(House& house) {
  auto& parts = *house.parts;
  smtp::reception::Environment environment;
  environment.policy = server::reception_policy(house.settings);
  environment.clock = &system_clock();
  environment.directory = parts.directory.get();
  environment.authenticator = parts.authenticator.get();
  environment.mailboxes = parts.mailboxes.get();
  environment.queue = &parts.store->queue();
  environment.delivery = parts.delivery.get();
  environment.events = parts.events.get();
  environment.budget = parts.budget;
  environment.staging = {*parts.body_workers, parts.store->staging_directory(),
                         [] { return false; }};
  environment.resolver = [&house]() -> dns::Resolver& { return house.dns; };
  return environment;
}

Credential sign_in_by_link(House& house, const std::string& url) {
  const auto response = house.call(Method::post, "/v1/session/link/confirm", kNobody,
                                   {{"token", url.substr(url.find('#') + 1)}});
  INFO(response.body);
  REQUIRE(response.status == 201);
  return with_session(session_of(response));
}

Credential sign_in_by_mail(House& house, const std::string& email) {
  (void)house.mailer.take();  // of before
  house.done(Method::post, "/v1/session/link", kNobody, {{"email", email}});
  const auto mail = house.mail();
  CHECK(mail.to == email);
  const auto begin = mail.text.find("https://");
  return sign_in_by_link(house, mail.text.substr(begin, mail.text.find('\n', begin) - begin));
}

std::string totp_now(House& house, const std::string& secret) {
  house.clock.advance(std::chrono::seconds(accounts::kTotpPeriod));
  return accounts::totp_code(secret, accounts::totp_step(house.clock.now()));
}

std::string set_up_totp(House& house, const Credential& session) {
  const auto offered = house.done(Method::post, "/v1/me/totp", session);
  const auto text = text_at(offered, "secret");
  const auto secret = accounts::parse_totp_secret(text);
  REQUIRE(secret);
  house.done(Method::post, "/v1/me/totp/confirm", session,
             {{"secret", text}, {"code", totp_now(house, *secret)}});
  return *secret;
}

Tenancy make_tenancy(House& house, const std::string& name, const std::string& agency) {
  Tenancy made;
  made.name = name;
  const auto id = post(house, "/v1/tenants", {{"name", name}}, "id");
  made.things["tenant"] = name;
  made.things["tenant_id"] = id;
  add_domain(house, made, name);
  add_people(house, made, agency);
  const auto key =
      house.done(Method::post, "/v1/keys", kManagement,
                 {{"label", name + "-key"}, {"scopes", json::array{"*"}}, {"tenant", name}});
  made.things["key"] = text_at(key, "id");
  made.key = with_key(text_at(key, "key"));
  made.identifiers.insert(text_at(key, "prefix"));
  const Texts here{{"tenant", name}};
  house.done(Method::put, "/v1/audit/stream", kManagement,
             {{"url", "https://" + name + ".house.example/"}}, here);
  house.done(Method::put, "/v1/outbound/hosts", kManagement,
             {{"hosts", json::array{"*.house.example", name + ".example"}}}, here);
  made.things["message"] = put_in_queue(house, id, "box@" + made.things["domain"]);
  made.identifiers.insert(made.people.begin(), made.people.end());
  for (const auto& [what, value] : made.things) made.identifiers.insert(value);
  return made;
}

Tenancy make_sibling(House& house, const Tenancy& tenant, const std::string& name) {
  auto sibling = tenant;
  sibling.identifiers = {name};
  add_domain(house, sibling, name);
  sibling.name = name;
  const auto& things = sibling.things;
  sibling.things["message"] =
      put_in_queue(house, things.at("tenant_id"), "box@" + things.at("domain"));
  for (const auto* thing : {"credential", "message"}) sibling.identifiers.insert(things.at(thing));
  return sibling;
}

Tenancy make_ghost(const Tenancy& like, const std::string& name) {
  Tenancy ghost;
  ghost.name = name;
  for (const auto& [what, value] : like.things) {
    auto other = value;
    if (parse_uuid(value)) other = MessageId::make().text();
    if (what == "passkey") other = base64url_encode(name + "-passkey-credential");
    if (const auto at = other.find(like.name); at != std::string::npos)
      other.replace(at, like.name.size(), name);
    ghost.things[what] = other;
  }
  return ghost;
}

Credential make_operator(House& house, const std::string& email) {
  const auto made = house.done(Method::post, "/v1/operators", kManagement, {{"email", email}});
  auto session = sign_in_by_link(house, text_at(made, "sign_in_link"));
  set_up_totp(house, session);
  return session;
}

std::string make_agency(House& house) {
  const std::string email = "helper@agency.example";
  house.done(Method::post, "/v1/tenants", kManagement, {{"name", "agency"}});
  house.done(Method::post, "/v1/people", kManagement,
             {{"email", email}, {"role", "owner"}, {"tenant", "agency"}});
  return email;
}

std::string put_in_queue(House& house, const std::string& tenant_id, const std::string& from) {
  smtp::reception::Origination mail;
  mail.tenant = TenantId{parse_uuid(tenant_id).value()};
  mail.return_path = from;
  mail.message.from.push_back({"", from});
  mail.message.to.push_back({"", "somebody@remote.example"});
  mail.message.subject = "Hello";
  mail.message.text = "Hello\n";
  mail.origin = "server";
  const auto environment = reception_environment(house);
  smtp::reception::OutboundSigner signer(*house.parts->directory, system_clock());
  const auto id =
      must(house.run(smtp::reception::originate(environment, signer, std::move(mail)))).text();
  REQUIRE(eventually([&] {
    return house.call(Method::get, "/v1/messages/" + id + "/events", kManagement).status == 200;
  }));
  return id;
}

}  // namespace postern::test
