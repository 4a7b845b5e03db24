// People, members and keys on a test's own database.
#pragma once

#include <string>

#include "accounts/keys/api_key.hpp"
#include "accounts/keys/key_usage.hpp"
#include "accounts/people/connection.hpp"
#include "accounts/people/member.hpp"
#include "accounts/people/narrowing.hpp"
#include "accounts/people/one_time_token.hpp"
#include "accounts/people/passkey.hpp"
#include "accounts/people/person.hpp"
#include "accounts/people/role.hpp"
#include "accounts/people/stored.hpp"
#include "accounts/people/web_session.hpp"
#include "core/crypto.hpp"
#include "tests/accounts/world.hpp"

namespace postern::accounts::test {

using namespace std::chrono_literals;

template <class T>
void check_error(const Result<T>& result, Errc code) {
  REQUIRE_FALSE(result);
  INFO(result.error().message);
  CHECK(result.error().code == code);
}

/// A secret's digest, as a door makes it.
inline std::string digest(std::string_view secret) { return crypto::sha256(secret); }

inline PermissionSet permissions(std::string_view text) { return *parse_permissions(text); }

struct PeopleWorld : World {
  /// For look-ups that can't fail.
  template <class F>
  auto look(F f) {
    using T = std::invoke_result_t<F, sql::Transaction&>;
    return must(change([f = std::move(f)](sql::Transaction& tx) -> Result<T> { return f(tx); }));
  }
  template <class F>
  auto look(TenantId tenant, F f) {
    using T = std::invoke_result_t<F, sql::TenantScope&>;
    return must(
        scoped(tenant, [f = std::move(f)](sql::TenantScope& s) -> Result<T> { return f(s); }));
  }

  Result<Person> try_person(const std::string& email, const std::string& name = "") {
    const NewPerson fresh{PersonId::make(),     email,      name, std::nullopt,
                          PersonStatus::active, clock.now()};
    return change([fresh](sql::Transaction& tx) { return add_person(tx, fresh); });
  }
  PersonId person(const std::string& email) { return must(try_person(email)).id; }
  Person read(PersonId id) {
    return must(change([id](sql::Transaction& tx) { return find_person(tx, id); }));
  }

  Result<Member> try_member(TenantId tenant, PersonId person, const std::string& role,
                            const Narrowing& narrowing = {}) {
    const NewMember fresh{person, role, narrowing, "who invited", clock.now()};
    return scoped(tenant, [fresh](sql::TenantScope& s) { return add_member(s, fresh); });
  }
  Member member(TenantId tenant, PersonId person, const std::string& role,
                const Narrowing& narrowing = {}) {
    return must(try_member(tenant, person, role, narrowing));
  }
  Result<Member> read_member(TenantId tenant, PersonId person) {
    return scoped(tenant, [person](sql::TenantScope& s) { return find_member(s, person); });
  }

  Role role(TenantId tenant, const std::string& name, std::string_view allowed) {
    const Role fresh{RoleId::make(), name, permissions(allowed), clock.now()};
    return must(scoped(tenant, [fresh](sql::TenantScope& s) { return add_role(s, fresh); }));
  }

  ApiKey plain_key(const std::string& label = "a key") {
    ApiKey key;
    key.id = ApiKeyId::make();
    key.label = label;
    key.prefix = "pk_abcd";
    key.scopes = permissions("message.send");
    key.created_by = "maker";
    key.created = clock.now();
    return key;
  }
  Result<ApiKey> try_key(TenantId tenant, const std::string& secret, const ApiKey& key) {
    return scoped(tenant, [key, hashed = digest(secret)](sql::TenantScope& s) {
      return add_api_key(s, hashed, key);
    });
  }
  Result<FoundApiKey> by_secret(const std::string& secret) {
    return change([hashed = digest(secret), now = clock.now()](sql::Transaction& tx) {
      return find_api_key(tx, hashed, now);
    });
  }

  Connection plain_connection(PersonId grantee) {
    Connection connection;
    connection.id = ConnectionId::make();
    connection.grantee =
        must(change([=](sql::Transaction& tx) { return find_person(tx, grantee); })).email;
    connection.permissions = permissions("domain.read,queue.read");
    connection.reason = "the agency looks after our DNS";
    connection.granted_by = "owner";
    connection.created = clock.now();
    connection.expires = clock.now() + 1h;
    return connection;
  }
  Result<Connection> try_connection(TenantId tenant, const Connection& connection) {
    return scoped(tenant,
                  [connection](sql::TenantScope& s) { return add_connection(s, connection); });
  }

  Result<WebSession> try_session(PersonId person, const std::string& token, Micros length = 12h) {
    WebSession session;
    session.id = SessionId::make();
    session.person = person;
    session.created = clock.now();
    session.expires = clock.now() + length;
    session.address = "192.0.2.1";
    session.user_agent = "Browser/1.0";
    session.factors = bits(Factor::password);
    return change([session, hashed = digest(token)](sql::Transaction& tx) {
      return add_session(tx, hashed, session);
    });
  }

  OneTimeToken plain_token(TokenKind kind, const std::string& email) {
    OneTimeToken token;
    token.kind = kind;
    token.email = email;
    token.created = clock.now();
    token.expires = clock.now() + 1h;
    return token;
  }
  Result<OneTimeToken> try_token(const std::string& secret, const OneTimeToken& token) {
    return change([token, hashed = digest(secret)](sql::Transaction& tx) {
      return add_token(tx, hashed, token);
    });
  }
  Result<OneTimeToken> consume(const std::string& secret, TokenKind kind) {
    return change([kind, hashed = digest(secret), now = clock.now()](sql::Transaction& tx) {
      return consume_token(tx, hashed, kind, now);
    });
  }
};

}  // namespace postern::accounts::test
