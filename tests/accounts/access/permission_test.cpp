#include "accounts/access/permission.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "accounts/access/caller.hpp"

using namespace postern;
using namespace postern::accounts;

namespace {
PermissionSet parsed(std::string_view text) {
  auto set = parse_permissions(text);
  REQUIRE(set.has_value());
  return *set;
}
}  // namespace

TEST_CASE("permission_names_are_unique_and_read_back", "[access]") {
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < kPermissions; ++i) {
    const auto permission = static_cast<Permission>(i);
    const auto name = to_string(permission);
    CHECK(seen.insert(name).second);
    CHECK(std::ranges::count(name, '.') == 1);
    CHECK_FALSE(description_of(permission).empty());
    CHECK(parse_permission(name) == permission);
  }
  CHECK_FALSE(parse_permission("domain"));
  CHECK_FALSE(parse_permission(""));
}

TEST_CASE("no_role_of_a_tenant_holds_a_permission_of_the_platform", "[access]") {
  const auto platform = PermissionSet::all(Realm::platform);
  for (std::size_t i = 0; i < kBuiltInRoles; ++i) {
    const auto held = permissions_of(static_cast<BuiltInRole>(i));
    CHECK_FALSE(held.empty());
    CHECK((held & platform).empty());
  }
  CHECK(permissions_of(BuiltInRole::owner) == PermissionSet::all(Realm::tenant));
}

TEST_CASE("viewer_changes_nothing_and_each_role_is_within_owner", "[access]") {
  const auto owner = permissions_of(BuiltInRole::owner);
  for (std::size_t i = 0; i < kBuiltInRoles; ++i) {
    CHECK(owner.contains(permissions_of(static_cast<BuiltInRole>(i))));
  }
  for (const auto name : permissions_of(BuiltInRole::viewer).names()) {
    INFO(name);
    CHECK(name.ends_with(".read"));
  }
  CHECK_FALSE(permissions_of(BuiltInRole::editor).has(Permission::person_invite));
  CHECK_FALSE(permissions_of(BuiltInRole::editor).has(Permission::key_create));
  CHECK(permissions_of(BuiltInRole::postmaster).has(Permission::queue_manage));
}

TEST_CASE("permission_lists_are_parsed_or_refused_whole", "[access]") {
  CHECK(parsed("domain.read").names() == std::vector<std::string_view>{"domain.read"});
  CHECK(parsed("domain.read, queue.manage").text() == "domain.read,queue.manage");
  CHECK(parsed("domain.*") == parsed("domain.create,domain.read,domain.delete"));
  CHECK(parsed("*") == PermissionSet::all(Realm::tenant));
  CHECK(parsed("").empty());
  for (const auto* bad : {"domain", "domain.fly", "domain.read,", ",", "DOMAIN.READ", "server.read",
                          "tenant.create", "server.*", "d*", "domain.read;alias.read"}) {
    INFO(bad);
    CHECK_FALSE(parse_permissions(bad).has_value());
  }
  CHECK_FALSE(parsed("tenant.*").has(Permission::tenant_create));
}

TEST_CASE("narrowing_reaches_what_it_names_and_mailboxes_of_its_domains", "[access]") {
  const Narrowing none;
  CHECK(none.reaches_domain("a.example"));
  CHECK(none.reaches_account("x@a.example"));
  const Narrowing some{{"a.example"}, {"x@b.example"}};
  CHECK(some.reaches_domain("a.example"));
  CHECK_FALSE(some.reaches_domain("b.example"));
  CHECK_FALSE(some.reaches_domain("sub.a.example"));
  CHECK(some.reaches_account("anyone@a.example"));
  CHECK(some.reaches_account("x@b.example"));
  CHECK_FALSE(some.reaches_account("y@b.example"));
}

TEST_CASE("operator_may_everything_and_nobody_nothing", "[access]") {
  const auto root = operator_caller(0);
  CHECK(root.may(Permission::tenant_create));
  CHECK(root.may(Permission::domain_read));
  CHECK_FALSE(root.tenant.has_value());
  CHECK(root.name == "uid 0");
  const Caller nobody;
  for (std::size_t i = 0; i < kPermissions; ++i)
    CHECK_FALSE(nobody.may(static_cast<Permission>(i)));
}
