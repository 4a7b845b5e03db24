#include "accounts/access/reach.hpp"

#include "tests/accounts/people/people.hpp"

using namespace postern;
using namespace postern::accounts;
using namespace postern::accounts::test;

namespace {

struct TwoTenants : PeopleWorld {
  TenantId acme = tenant("acme").id;
  TenantId other = tenant("other").id;
  Caller caller;  ///< a key of acme's that may do all that a tenant's keys may

  TwoTenants() {
    for (const auto* name : {"a.example", "b.example"}) domain(acme, name);
    domain(other, "other.example");
    for (const auto* name : {"ann@a.example", "bob@a.example", "cat@b.example"})
      account(acme, name);
    account(other, "dan@other.example");
    caller.kind = CallerKind::api_key;
    caller.tenant = acme;
    caller.permissions = PermissionSet::all(Realm::tenant);
  }
  template <class F>
  auto reach(F f) {
    return change([who = caller, f = std::move(f)](sql::Transaction& tx) {
      Reach reach(tx, who);
      return f(reach);
    });
  }
  Result<Tenant> tenant_of(const std::string& name) {
    return reach([name](Reach& r) { return r.tenant(name); });
  }
  Result<Tenant> own() {
    return reach([](Reach& r) { return r.tenant_or_own(""); });
  }
  Result<Domain> domain_of(const std::string& name) {
    return reach([name](Reach& r) { return r.domain(name); });
  }
  Result<Account> account_of(const std::string& name) {
    return reach([to = address(name)](Reach& r) { return r.account(to); });
  }
  bool scope_throws(TenantId tenant) {
    return must(reach([tenant](Reach& r) -> Result<bool> {
      try {
        return r.scope(tenant).tenant() != tenant;
      } catch (const std::logic_error&) {
        return true;
      }
    }));
  }
  Result<std::string> unscoped(Permission permission) {
    return reach([permission](Reach& r) -> Result<std::string> {
      const auto tx = r.unscoped(permission, "to see");
      if (!tx) return fail(tx.error().code, std::string(r.unscoped_reason()));
      return std::string(r.unscoped_reason());
    });
  }
  /// An operator who signed in to the console.
  void become_operator() {
    caller = {};
    caller.kind = CallerKind::person;
    caller.permissions = PermissionSet::all(Realm::platform);
  }
};

// The error's text with what was asked for taken out: all that tells two answers apart.
template <class T>
std::string answer(const Result<T>& result, const std::string& asked) {
  if (result) return "found";
  auto text = std::string(to_string(result.error().code)) + " " + result.error().message;
  for (auto at = text.find(asked); at != std::string::npos; at = text.find(asked))
    text.erase(at, asked.size());
  return text;
}

}  // namespace

TEST_CASE("own_things_are_reached_by_name_and_id", "[access]") {
  TwoTenants world;
  CHECK(must(world.tenant_of("acme")).id == world.acme);
  CHECK(must(world.tenant_of(world.acme.text())).id == world.acme);
  CHECK(must(world.own()).id == world.acme);
  CHECK(must(world.domain_of("A.example")).name == "a.example");
  CHECK(must(world.account_of("ann@a.example")).tenant == world.acme);
  CHECK_FALSE(world.scope_throws(world.acme));
  check_error(world.domain_of("not a domain"), Errc::invalid);
}

TEST_CASE("foreign_things_answer_exactly_like_missing_ones", "[access]") {
  TwoTenants world;
  const auto missing_id = TenantId::make().text();
  const auto no_tenant = answer(world.tenant_of("none"), "none");
  CHECK(no_tenant.starts_with("not_found "));
  CHECK(answer(world.tenant_of("other"), "other") == no_tenant);
  CHECK(answer(world.tenant_of(world.other.text()), world.other.text()) == no_tenant);
  CHECK(answer(world.tenant_of(missing_id), missing_id) == no_tenant);
  const auto no_domain = answer(world.domain_of("none.example"), "none.example");
  CHECK(no_domain.starts_with("not_found "));
  CHECK(answer(world.domain_of("other.example"), "other.example") == no_domain);
  const auto no_account = answer(world.account_of("x@none.example"), "x@none.example");
  CHECK(no_account.starts_with("not_found "));
  for (const std::string name : {"dan@other.example", "x@other.example", "x@a.example"}) {
    INFO(name);
    CHECK(answer(world.account_of(name), name) == no_account);
  }
  CHECK(world.scope_throws(world.other));
  CHECK(world.scope_throws(TenantId{}));
}

TEST_CASE("narrowed_caller_reaches_what_is_named_alone", "[access]") {
  TwoTenants world;
  const auto missing = answer(world.domain_of("none.example"), "none.example");
  const auto reached = [&](Narrowing narrowing) {
    world.caller.narrowing = std::move(narrowing);
    std::string out;
    for (const auto* name : {"a.example", "b.example", "other.example"})
      if (world.domain_of(name)) out += std::string(name) + " ";
    for (const auto* name :
         {"ann@a.example", "bob@a.example", "cat@b.example", "dan@other.example"})
      if (world.account_of(name)) out += std::string(name) + " ";
    return out;
  };
  CHECK(reached({}) == "a.example b.example ann@a.example bob@a.example cat@b.example ");
  CHECK(reached({{"a.example"}, {}}) == "a.example ann@a.example bob@a.example ");
  CHECK(reached({{}, {"ann@a.example"}}) == "ann@a.example ");
  CHECK(reached({{"b.example"}, {"ann@a.example"}}) == "b.example ann@a.example cat@b.example ");
  CHECK(reached({{"other.example"}, {"dan@other.example"}}) == "");
  CHECK(answer(world.domain_of("b.example"), "b.example") == missing);
}

TEST_CASE("operator_who_is_a_person_sees_records_of_tenants_and_nothing_in_them", "[access]") {
  TwoTenants world;
  world.become_operator();
  CHECK(world.tenant_of("other"));
  check_error(world.domain_of("other.example"), Errc::not_found);
  check_error(world.account_of("dan@other.example"), Errc::not_found);
  CHECK(world.scope_throws(world.other));
  world.caller.tenant = world.acme;  // acting in one, they are like its members
  check_error(world.tenant_of("other"), Errc::not_found);
  CHECK(world.domain_of("a.example"));
  world.caller = {};
  check_error(world.tenant_of("acme"), Errc::not_found);
  world.caller = operator_caller(0);  // over the management socket
  CHECK(world.domain_of("other.example"));
  CHECK(world.account_of("dan@other.example"));
  CHECK_FALSE(world.scope_throws(world.other));
  check_error(world.own(), Errc::invalid);  // none is its own
}

TEST_CASE("all_tenants_are_open_to_platform_callers_alone", "[access]") {
  TwoTenants world;
  check_error(world.unscoped(Permission::tenant_list), Errc::denied);
  world.caller.permissions = PermissionSet::everything();  // but it acts in a tenant
  check_error(world.unscoped(Permission::tenant_list), Errc::denied);
  world.become_operator();
  CHECK(must(world.unscoped(Permission::tenant_list)) == "to see");
  world.caller.permissions = permissions("*");
  check_error(world.unscoped(Permission::tenant_list), Errc::denied);
  world.caller = operator_caller(0);
  CHECK(must(world.unscoped(Permission::platform_audit)) == "to see");
  const auto refused = world.unscoped(Permission::domain_read);  // a tenant's, whoever has it
  check_error(refused, Errc::denied);
  CHECK(refused.error().message.empty());  // and so no look to be entered
}

TEST_CASE("first_tenant_that_was_touched_is_the_records", "[access]") {
  TwoTenants world;
  world.caller = operator_caller(0);
  const auto touched = [&](std::vector<std::string> domains) {
    return must(world.reach([domains](Reach& r) -> Result<std::optional<TenantId>> {
      for (const auto& name : domains) static_cast<void>(r.domain(name));
      return r.touched();
    }));
  };
  CHECK_FALSE(touched({}));
  CHECK_FALSE(touched({"none.example"}));
  CHECK(touched({"none.example", "other.example", "a.example"}) == world.other);
  CHECK(touched({"a.example", "other.example"}) == world.acme);
  CHECK(must(world.reach([](Reach& r) -> Result<std::string> {
          r.set_target("domain:a.example");
          return r.target();
        })) == "domain:a.example");
  world.caller.kind = CallerKind::api_key;
  world.caller.tenant = world.acme;
  CHECK_FALSE(touched({"other.example"}));
}
