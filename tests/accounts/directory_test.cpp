#include "accounts/directory.hpp"

#include "tests/accounts/world.hpp"

using namespace postern;
using namespace postern::accounts;
using namespace postern::accounts::test;

namespace {

using Names = std::vector<std::string>;

struct Acme : World {
  TenantId id = tenant("acme").id;
  Domain home = domain(id, "acme.example");
  Account owner = account(id, "owner@acme.example");
  Account user = account(id, "user@acme.example");

  void suspend(const Account& account) {
    must(scoped(id, [&](sql::TenantScope& s) {
      return set_account_status(s, account.id, Status::suspended);
    }));
  }
  void suspend_tenant() {
    must(change(
        [this](sql::Transaction& tx) { return set_tenant_status(tx, id, Status::suspended); }));
  }
  void catch_all(const std::string& target) {
    must(scoped(id, [&](sql::TenantScope& s) {
      return set_catch_all(s, "acme.example", address(target));
    }));
  }
  /// Past the checks of add_alias.
  void raw_alias(const std::string& from, const std::string& to) {
    must(scoped(id, [f = address(from), t = address(to)](sql::TenantScope& s) -> Result<void> {
      s.prepare(
           "INSERT INTO aliases (tenant_id, domain, local_part, target_domain, target_local_part) "
           "VALUES (:tenant, :domain, :local, :target_domain, :target_local)")
          .bind_text(":domain", f.domain)
          .bind_text(":local", f.local)
          .bind_text(":target_domain", t.domain)
          .bind_text(":target_local", t.local)
          .run();
      return {};
    }));
  }
  bool may_send(const Account& account, const std::string& from) {
    return must(run(look_up.may_send_as({account.tenant, account.id}, from)));
  }
};

}  // namespace

TEST_CASE("recipient_in_any_spelling_reaches_its_mailbox") {
  Acme world;
  for (const auto* name : {"user@acme.example", "USER@ACME.EXAMPLE", "\"user\"@acme.example"}) {
    const auto answer = world.resolved(name);
    REQUIRE(answer->verdict == Verdict::deliver);
    REQUIRE(answer->routes.size() == 1);
    CHECK(answer->routes[0].account == world.user.id);
    CHECK(answer->routes[0].tenant == world.id);
    CHECK(answer->routes[0].address == "user@acme.example");
    CHECK(answer->routes[0].detail.empty());
  }
}

TEST_CASE("recipient_elsewhere_is_not_hosted") {
  Acme world;
  CHECK(world.verdict("user@other.example") == Verdict::not_hosted);
  CHECK(world.verdict("user@sub.acme.example") == Verdict::not_hosted);
  CHECK(world.verdict("nobody@acme.example") == Verdict::no_mailbox);
  const auto broken = world.run(world.look_up.resolve_recipient("not an address"));
  REQUIRE_FALSE(broken);
  CHECK(broken.error().code == Errc::invalid);
}

TEST_CASE("sub_address_reaches_the_mailbox_with_its_detail") {
  Acme world;
  world.alias(world.id, "info@acme.example", {"user@acme.example", "owner@acme.example"});
  CHECK(world.reached("user+tag@acme.example") == Names{"user@acme.example/tag"});
  CHECK(world.reached("User+Tag+more@acme.example") == Names{"user@acme.example/tag+more"});
  CHECK(world.reached("user+@acme.example") == Names{"user@acme.example"});
  CHECK(world.reached("info+x@acme.example") ==
        Names{"owner@acme.example/x", "user@acme.example/x"});
  CHECK(world.verdict("nobody+x@acme.example") == Verdict::no_mailbox);
}

TEST_CASE("nested_aliases_reach_each_mailbox_once") {
  Acme world;
  world.alias(world.id, "a@acme.example", {"user@acme.example", "owner@acme.example"});
  world.alias(world.id, "b@acme.example", {"a@acme.example", "user@acme.example"});
  CHECK(world.reached("b@acme.example") == Names{"owner@acme.example", "user@acme.example"});
}

TEST_CASE("alias_loop_ends_and_delivers_what_it_can") {
  Acme world;
  world.raw_alias("x@acme.example", "y@acme.example");
  world.raw_alias("y@acme.example", "x@acme.example");
  CHECK(world.verdict("x@acme.example") == Verdict::no_mailbox);
  world.raw_alias("y@acme.example", "user@acme.example");
  must(world.change([](sql::Transaction&) -> Result<void> { return {}; }));
  CHECK(world.reached("x@acme.example") == Names{"user@acme.example"});
}

TEST_CASE("alias_chain_beyond_its_depth_is_unavailable_rather_than_partial") {
  Acme world;
  std::string last = "user@acme.example";
  for (int i = 1; i <= kAliasDepth + 1; ++i) {
    const auto name = "c" + std::to_string(i) + "@acme.example";
    world.raw_alias(name, last);
    last = name;
  }
  world.raw_alias(last, "owner@acme.example");
  CHECK(world.verdict(last) == Verdict::unavailable);
  CHECK(world.resolved(last)->routes.empty());
  CHECK(world.reached("c8@acme.example") == Names{"user@acme.example"});
}

TEST_CASE("catch_all_takes_unknown_names_only") {
  Acme world;
  world.alias(world.id, "known@acme.example", {"owner@acme.example"});
  world.catch_all("user@acme.example");
  CHECK(world.reached("whoever@acme.example") == Names{"user@acme.example"});
  CHECK(world.reached("whoever+x@acme.example") == Names{"user@acme.example"});
  CHECK(world.reached("known@acme.example") == Names{"owner@acme.example"});
  world.catch_all("known@acme.example");  // replaced; an alias may be the target
  CHECK(world.reached("whoever@acme.example") == Names{"owner@acme.example"});
  must(world.scoped(world.id,
                    [](sql::TenantScope& s) { return remove_catch_all(s, "acme.example"); }));
  CHECK(world.verdict("whoever@acme.example") == Verdict::no_mailbox);
  const auto nobody = world.scoped(world.id, [](sql::TenantScope& s) {
    return set_catch_all(s, "acme.example", address("nobody@acme.example"));
  });
  REQUIRE_FALSE(nobody);
  CHECK(nobody.error().code == Errc::not_found);
}

TEST_CASE("postmaster_and_abuse_reach_the_owner_unless_named") {
  Acme world;
  world.domain(world.id, "second.example");
  world.catch_all("user@acme.example");
  for (const auto* name : {"postmaster@acme.example", "Abuse@Acme.Example",
                           "postmaster+x@acme.example", "abuse@second.example"}) {
    CHECK(world.reached(name) == Names{"owner@acme.example"});
  }
  world.alias(world.id, "abuse@acme.example", {"user@acme.example"});
  CHECK(world.reached("abuse@acme.example") == Names{"user@acme.example"});
  world.account(world.id, "postmaster@acme.example");
  CHECK(world.reached("postmaster@acme.example") == Names{"postmaster@acme.example"});
}

TEST_CASE("postmaster_is_accepted_whatever_is_suspended") {
  Acme world;
  world.suspend(world.owner);
  CHECK(world.reached("postmaster@acme.example") == Names{"owner@acme.example"});
  world.suspend_tenant();
  CHECK(world.reached("abuse@acme.example") == Names{"owner@acme.example"});
  CHECK(world.verdict("user@acme.example") == Verdict::suspended);
}

TEST_CASE("postmaster_of_a_tenant_without_accounts_is_unavailable_for_now") {
  World world;
  const auto id = world.tenant("empty").id;
  world.domain(id, "empty.example");
  CHECK(world.verdict("postmaster@empty.example") == Verdict::unavailable);
  CHECK(world.verdict("user@empty.example") == Verdict::no_mailbox);
}

TEST_CASE("suspended_account_domain_or_tenant_takes_no_mail") {
  Acme world;
  world.alias(world.id, "both@acme.example", {"user@acme.example", "owner@acme.example"});
  world.suspend(world.user);
  CHECK(world.verdict("user@acme.example") == Verdict::suspended);
  CHECK(world.reached("both@acme.example") == Names{"owner@acme.example"});
  must(world.change([](sql::Transaction& tx) {
    return set_domain_status(tx, "acme.example", Status::suspended);
  }));
  CHECK(world.verdict("owner@acme.example") == Verdict::suspended);
}

TEST_CASE("look_ups_are_answered_from_memory_until_something_changes") {
  Acme world;
  const auto first = world.resolved("new@acme.example");
  CHECK(first->verdict == Verdict::no_mailbox);
  CHECK(world.resolved("NEW@acme.example") == first);  // the same object
  world.account(world.id, "new@acme.example");
  CHECK(world.verdict("new@acme.example") == Verdict::deliver);
  CHECK(world.look_up.cached() == 1);
}

TEST_CASE("look_up_memory_is_bounded") {
  Acme world;
  Directory small(world.registry, world.keystore, {8});
  for (int i = 0; i < 50; ++i) {
    must(world.run(small.resolve_recipient("u" + std::to_string(i) + "@acme.example")));
  }
  CHECK(small.cached() == 8);
}

TEST_CASE("local_domains_are_known") {
  Acme world;
  const auto local = [&](const std::string& name) {
    return must(world.run(world.look_up.is_local_domain(name)));
  };
  CHECK(local("acme.example"));
  CHECK(local("ACME.example"));
  CHECK_FALSE(local("other.example"));
  CHECK_FALSE(local("not a domain"));
  CHECK_FALSE(local(""));
  const auto domain = must(world.run(world.look_up.domain("acme.example")));
  REQUIRE(domain);
  CHECK(domain->tenant == world.id);
}

TEST_CASE("sender_may_use_own_addresses_and_those_that_lead_to_it") {
  Acme world;
  world.alias(world.id, "info@acme.example", {"user@acme.example"});
  world.alias(world.id, "outer@acme.example", {"info@acme.example"});
  world.catch_all("user@acme.example");
  for (const auto* name : {"user@acme.example", "USER+news@acme.example", "info@acme.example",
                           "outer@acme.example", "info+x@acme.example"}) {
    INFO(name);
    CHECK(world.may_send(world.user, name));
  }
  for (const auto* name : {"owner@acme.example", "anyone@acme.example", "user@other.example",
                           "postmaster@acme.example", "", "garbage", "user@[127.0.0.1]"}) {
    INFO(name);
    CHECK_FALSE(world.may_send(world.user, name));
  }
  CHECK(world.may_send(world.owner, "postmaster@acme.example"));
  CHECK(world.may_send(world.owner, "abuse@acme.example"));
}

TEST_CASE("sender_with_a_domain_grant_may_use_any_address_of_it") {
  Acme world;
  world.domain(world.id, "second.example");
  must(world.scoped(world.id, [&](sql::TenantScope& s) {
    return grant_domain(s, world.user.id, "Second.example");
  }));
  CHECK(world.may_send(world.user, "anything@second.example"));
  CHECK_FALSE(world.may_send(world.user, "anything@acme.example"));
  CHECK_FALSE(world.may_send(world.owner, "anything@second.example"));
  CHECK(must(world.scoped(world.id, [&](sql::TenantScope& s) -> Result<Names> {
          return list_domain_grants(s, world.user.id);
        })) == Names{"second.example"});
  must(world.scoped(world.id, [&](sql::TenantScope& s) {
    return revoke_domain_grant(s, world.user.id, "second.example");
  }));
  CHECK_FALSE(world.may_send(world.user, "anything@second.example"));
  const auto other = world.tenant("other").id;
  world.domain(other, "other.example");
  const auto foreign = world.scoped(world.id, [&](sql::TenantScope& s) {
    return grant_domain(s, world.user.id, "other.example");
  });
  REQUIRE_FALSE(foreign);
  CHECK(foreign.error().code == Errc::not_found);
}

TEST_CASE("suspended_sender_may_send_as_nobody") {
  Acme world;
  world.suspend(world.user);
  CHECK_FALSE(world.may_send(world.user, "user@acme.example"));
  CHECK(world.may_send(world.owner, "owner@acme.example"));
  world.suspend_tenant();
  CHECK_FALSE(world.may_send(world.owner, "owner@acme.example"));
  CHECK_FALSE(world.may_send(world.owner, "postmaster@acme.example"));
}

TEST_CASE("tenant_and_its_data_key_are_looked_up") {
  Acme world;
  CHECK(must(world.run(world.look_up.tenant(world.id)))->name == "acme");
  const auto key = must(world.run(world.look_up.data_key(world.id)));
  REQUIRE(key);
  CHECK(key->tenant == world.id);
  CHECK(key->derive("a use").size() == 32);
  const auto missing = world.run(world.look_up.data_key(TenantId::make()));
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == Errc::not_found);
}

namespace {
SigningKey make_key(Acme& world, const std::string& domain, const std::string& selector,
                    const std::string& pem) {
  SigningKey key;
  key.id = SigningKeyId::make();
  key.domain = domain;
  key.selector = selector;
  key.algorithm = SigningAlgorithm::ed25519_sha256;
  key.public_record = "v=DKIM1; k=ed25519; p=AAAA";
  key.wrapped_private_key =
      must(wrap_private_key(world.keystore.master(), world.id, domain, selector, pem));
  key.created = world.clock.now();
  return key;
}
}  // namespace

TEST_CASE("signing_keys_are_unwrapped_for_the_domain_and_those_below_it") {
  Acme world;
  world.domain(world.id, "news.acme.example");
  const auto key = make_key(world, "acme.example", "p1", "PEM one");
  const auto add = [&](const SigningKey& k) {
    return world.scoped(world.id, [k](sql::TenantScope& s) { return add_signing_key(s, k); });
  };
  const auto keys = [&](const std::string& domain) {
    return *must(world.run(world.look_up.signing_keys(world.id, domain)));
  };
  CHECK(keys("acme.example").empty());
  must(add(key));
  CHECK(key.wrapped_private_key.find("PEM one") == std::string::npos);
  REQUIRE(keys("acme.example").size() == 1);
  CHECK(keys("acme.example")[0].private_key_pem == "PEM one");
  CHECK(keys("ACME.example")[0].selector == "p1");
  CHECK(keys("news.acme.example")[0].domain == "acme.example");
  CHECK(keys("other.example").empty());
  must(world.scoped(world.id, [](sql::TenantScope& s) {
    return set_signing_key_status(s, "acme.example", "p1", Status::suspended);
  }));
  CHECK(keys("acme.example").empty());
  must(world.scoped(
      world.id, [](sql::TenantScope& s) { return remove_signing_key(s, "acme.example", "p1"); }));
  CHECK_FALSE(world.scoped(
      world.id, [](sql::TenantScope& s) { return remove_signing_key(s, "acme.example", "p1"); }));
}

TEST_CASE("signing_key_that_can_not_be_is_refused") {
  Acme world;
  const auto add = [&](SigningKey key) {
    const auto result =
        world.scoped(world.id, [key](sql::TenantScope& s) { return add_signing_key(s, key); });
    return result ? Errc::cancelled : result.error().code;
  };
  const auto good = make_key(world, "acme.example", "p1", "PEM");
  CHECK(add(good) == Errc::cancelled);
  auto again = good;
  again.id = SigningKeyId::make();
  CHECK(add(again) == Errc::exists);
  CHECK(add(make_key(world, "other.example", "p1", "PEM")) == Errc::not_found);
  for (const auto* selector : {"", "P1", "-a", "a-", "a..b", ".a", "a.", "a_b", "a b"}) {
    INFO(selector);
    CHECK(add(make_key(world, "acme.example", selector, "PEM")) == Errc::invalid);
  }
  CHECK(add(make_key(world, "acme.example", "a-1.b2", "PEM")) == Errc::cancelled);
}

TEST_CASE("signing_key_moved_to_another_row_does_not_open") {
  Acme world;
  auto key = make_key(world, "acme.example", "p1", "PEM");
  CHECK(unwrap_private_key(world.keystore.master(), world.id, key));
  CHECK_FALSE(unwrap_private_key(world.keystore.master(), TenantId::make(), key));
  key.selector = "p2";
  CHECK_FALSE(unwrap_private_key(world.keystore.master(), world.id, key));
}
