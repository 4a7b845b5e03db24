#include "accounts/people/one_time_token.hpp"

#include "tests/accounts/people/people.hpp"

using namespace postern;
using namespace postern::accounts;
using namespace postern::accounts::test;
using Outcome = CodeCheck::Outcome;

namespace {

struct Mailed : PeopleWorld {
  Outcome check(const std::string& email, const std::string& code) {
    return must(change([=, now = clock.now()](sql::Transaction& tx) {
             return check_code(tx, email, digest(code), now);
           }))
        .outcome;
  }
  OneTimeToken invitation(TenantId tenant, const std::string& email) {
    auto token = plain_token(TokenKind::invitation, email);
    token.tenant = tenant;
    token.payload = R"({"role":"viewer"})";
    return token;
  }
};

}  // namespace

TEST_CASE("token_is_good_once_and_for_its_kind", "[people]") {
  Mailed world;
  const auto ann = world.person("ann@x.example");
  auto token = world.plain_token(TokenKind::password_reset, "Ann@X.example");
  token.person = ann;
  token.payload = "whatever";
  must(world.try_token("secret", token));
  check_error(world.consume("other", TokenKind::password_reset), Errc::not_found);
  check_error(world.consume("secret", TokenKind::verify_email), Errc::not_found);
  const auto seen = world.change([now = world.clock.now()](sql::Transaction& tx) {
    return find_token(tx, digest("secret"), TokenKind::password_reset, now);
  });
  CHECK(must(seen).email == "ann@x.example");
  const auto used = must(world.consume("secret", TokenKind::password_reset));
  CHECK(used.person == ann);
  CHECK(used.payload == "whatever");
  CHECK_FALSE(used.tenant);
  check_error(world.consume("secret", TokenKind::password_reset), Errc::not_found);
}

TEST_CASE("token_expires", "[people]") {
  Mailed world;
  must(world.try_token("1", world.plain_token(TokenKind::sign_in_link, "a@x.example")));
  must(world.try_token("2", world.plain_token(TokenKind::sign_in_link, "b@x.example")));
  world.clock.advance(1h - 1us);
  CHECK(world.consume("1", TokenKind::sign_in_link));
  world.clock.advance(1us);
  check_error(world.consume("2", TokenKind::sign_in_link), Errc::not_found);
}

TEST_CASE("newer_token_supersedes_its_own_kind_and_address_alone", "[people]") {
  Mailed world;
  must(world.try_token("old", world.plain_token(TokenKind::sign_in_link, "a@x.example")));
  must(world.try_token("kind", world.plain_token(TokenKind::verify_email, "a@x.example")));
  must(world.try_token("address", world.plain_token(TokenKind::sign_in_link, "b@x.example")));
  must(world.try_token("new", world.plain_token(TokenKind::sign_in_link, "A@x.example")));
  check_error(world.consume("old", TokenKind::sign_in_link), Errc::not_found);
  CHECK(world.consume("new", TokenKind::sign_in_link));
  CHECK(world.consume("kind", TokenKind::verify_email));
  CHECK(world.consume("address", TokenKind::sign_in_link));
}

TEST_CASE("invitation_of_one_tenant_leaves_anothers_alone", "[people]") {
  Mailed world;
  const auto one = world.tenant("one").id;
  const auto two = world.tenant("two").id;
  must(world.try_token("one", world.invitation(one, "a@x.example")));
  must(world.try_token("two", world.invitation(two, "a@x.example")));
  must(world.try_token("one again", world.invitation(one, "a@x.example")));
  must(world.try_token("one b", world.invitation(one, "b@x.example")));
  check_error(world.consume("one", TokenKind::invitation), Errc::not_found);
  const auto list = [&](TenantId tenant, std::string after) {
    std::string out;
    for (const auto& t :
         world.look([=](sql::Transaction& tx) { return list_invitations(tx, tenant, after, 10); }))
      out += t.email[0];
    return out;
  };
  CHECK(list(one, "") == "ab");
  CHECK(list(one, "a@x.example") == "b");
  CHECK(list(two, "") == "a");
  const auto remove = [&](TenantId tenant) {
    return world.change(
        [=](sql::Transaction& tx) { return remove_invitation(tx, tenant, "B@x.example"); });
  };
  check_error(remove(two), Errc::not_found);
  must(remove(one));
  check_error(world.consume("one b", TokenKind::invitation), Errc::not_found);
  CHECK(must(world.consume("two", TokenKind::invitation)).tenant == two);
  CHECK(must(world.consume("one again", TokenKind::invitation)).tenant == one);
}

TEST_CASE("token_with_bad_values_is_refused", "[people]") {
  Mailed world;
  const auto tenant = world.tenant("acme").id;
  const auto good = world.plain_token(TokenKind::verify_email, "a@x.example");
  auto token = good;
  token.email = "nobody";
  check_error(world.try_token("1", token), Errc::invalid);
  token = good;
  token.expires = token.created;
  check_error(world.try_token("1", token), Errc::invalid);
  token = good;
  token.tenant = tenant;
  check_error(world.try_token("1", token), Errc::invalid);
  check_error(world.try_token("1", world.plain_token(TokenKind::invitation, "a@x.example")),
              Errc::invalid);
  check_error(world.try_token("1", world.invitation(TenantId::make(), "a@x.example")),
              Errc::not_found);
  token = good;
  token.person = PersonId::make();
  check_error(world.try_token("1", token), Errc::not_found);
  token = good;
  token.payload = std::string(kMaxTokenPayload + 1, 'x');
  check_error(world.try_token("1", token), Errc::invalid);
  token.payload.pop_back();
  CHECK(world.try_token("1", token));
  check_error(world.change([good](sql::Transaction& tx) { return add_token(tx, "short", good); }),
              Errc::invalid);
  check_error(world.try_token("1", world.plain_token(TokenKind::verify_email, "b@x.example")),
              Errc::exists);
}

TEST_CASE("code_is_found_by_address_and_used_once", "[people]") {
  Mailed world;
  must(world.try_token("123456", world.plain_token(TokenKind::email_code, "a@x.example")));
  check_error(world.consume("123456", TokenKind::email_code), Errc::invalid);
  CHECK(world.check("b@x.example", "123456") == Outcome::spent);
  CHECK(world.check("A@x.example", "000000") == Outcome::wrong);
  CHECK(world.check("A@x.example", "123456") == Outcome::right);
  CHECK(world.check("a@x.example", "123456") == Outcome::spent);
}

TEST_CASE("code_takes_five_attempts_in_all", "[people]") {
  Mailed world;
  const auto fresh = [&](const std::string& code) {
    must(world.try_token(code, world.plain_token(TokenKind::email_code, "a@x.example")));
  };
  fresh("123456");
  for (int i = 0; i < 4; ++i) CHECK(world.check("a@x.example", "000000") == Outcome::wrong);
  CHECK(world.check("a@x.example", "123456") == Outcome::right);
  fresh("234567");
  for (int i = 0; i < 4; ++i) CHECK(world.check("a@x.example", "000000") == Outcome::wrong);
  CHECK(world.check("a@x.example", "000000") == Outcome::spent);
  CHECK(world.check("a@x.example", "234567") == Outcome::spent);
  fresh("345678");
  world.clock.advance(1h);
  CHECK(world.check("a@x.example", "345678") == Outcome::spent);
}

TEST_CASE("open_invitations_of_a_tenant_are_bounded", "[people]") {
  Mailed world;
  const auto tenant = world.tenant("acme").id;
  must(world.change([&](sql::Transaction& tx) -> Result<void> {
    for (std::size_t i = 0; i < kMaxInvitations; ++i) {
      const auto name = "p" + std::to_string(i);
      if (auto made = add_token(tx, digest(name), world.invitation(tenant, name + "@x.example"));
          !made)
        return std::unexpected(made.error());
    }
    return {};
  }));
  check_error(world.try_token("more", world.invitation(tenant, "more@x.example")), Errc::too_large);
  CHECK(world.try_token("again", world.invitation(tenant, "p0@x.example")));
  world.clock.advance(1h);
  CHECK(world.try_token("more", world.invitation(tenant, "more@x.example")));
}

TEST_CASE("tokens_of_a_person_end_together_but_for_invitations", "[people]") {
  Mailed world;
  const auto ann = world.person("ann@x.example");
  const auto tenant = world.tenant("acme").id;
  for (const auto kind : {TokenKind::password_reset, TokenKind::sign_in_link}) {
    auto token = world.plain_token(kind, "ann@x.example");
    token.person = ann;
    must(world.try_token(std::to_string(static_cast<int>(kind)), token));
  }
  auto invited = world.invitation(tenant, "ann@x.example");
  invited.person = ann;
  must(world.try_token("invited", invited));
  must(world.try_token("bob", world.plain_token(TokenKind::sign_in_link, "bob@x.example")));
  CHECK(world.look([ann](sql::Transaction& tx) { return remove_tokens(tx, ann); }) == 2);
  check_error(world.consume("2", TokenKind::sign_in_link), Errc::not_found);
  CHECK(world.consume("invited", TokenKind::invitation));
  CHECK(world.consume("bob", TokenKind::sign_in_link));
}

TEST_CASE("expired_tokens_are_swept_a_few_at_a_time", "[people]") {
  Mailed world;
  for (const auto* name : {"a", "b", "c"}) {
    must(world.try_token(
        name, world.plain_token(TokenKind::sign_in_link, name + std::string("@x.example"))));
  }
  const auto sweep = [&](std::size_t limit) {
    return world.look([limit, now = world.clock.now()](sql::Transaction& tx) {
      return sweep_tokens(tx, now, limit);
    });
  };
  world.clock.advance(1h - 1us);
  CHECK(sweep(10) == 0);
  world.clock.advance(1us);
  CHECK(sweep(2) == 2);
  CHECK(sweep(2) == 1);
  CHECK(sweep(2) == 0);
}
