#include "accounts/people/member.hpp"

#include "tests/accounts/people/people.hpp"

using namespace postern;
using namespace postern::accounts;
using namespace postern::accounts::test;

namespace {

struct Team : PeopleWorld {
  TenantId acme = tenant("acme").id;
  PersonId ann = person("ann@x.example");
  PersonId bob = person("bob@x.example");

  Result<void> set_role(PersonId who, const std::string& role) {
    return scoped(acme, [=](sql::TenantScope& s) { return set_member_role(s, who, role); });
  }
  Result<void> remove(PersonId who) {
    return scoped(acme, [=](sql::TenantScope& s) { return remove_member(s, who); });
  }
  MemberAccess access(PersonId who) {
    const auto found = must(read_member(acme, who));
    return look(acme, [found](sql::TenantScope& s) { return resolve_member(s, found); });
  }
  std::vector<TenantId> tenants_of(PersonId who) {
    return look([who](sql::Transaction& tx) { return list_memberships(tx, who, {}, 10); });
  }
};

}  // namespace

TEST_CASE("member_is_found_in_the_tenant_and_the_tenant_from_the_person", "[people]") {
  Team world;
  const auto other = world.tenant("other").id;
  world.member(world.acme, world.ann, "admin");
  world.member(other, world.ann, "viewer");
  const auto found = must(world.read_member(world.acme, world.ann));
  CHECK(found.role == "admin");
  CHECK_FALSE(found.owner);
  CHECK(found.narrowing.none());
  CHECK(found.invited_by == "who invited");
  CHECK(found.created == world.clock.now());
  CHECK(world.tenants_of(world.ann) == std::vector{world.acme, other});
  CHECK(world.tenants_of(world.bob).empty());
  const auto page = world.look(
      [&](sql::Transaction& tx) { return list_memberships(tx, world.ann, world.acme, 10); });
  CHECK(page == std::vector{other});
  check_error(world.try_member(world.acme, world.ann, "viewer"), Errc::exists);
}

TEST_CASE("member_that_does_not_fit_is_refused", "[people]") {
  Team world;
  world.domain(world.acme, "acme.example");
  check_error(world.try_member(world.acme, PersonId::make(), "admin"), Errc::not_found);
  check_error(world.try_member(TenantId::make(), world.ann, "admin"), Errc::not_found);
  for (const auto& role :
       {std::string("boss"), std::string(), std::string("Owner"), RoleId::make().text()}) {
    INFO(role);
    check_error(world.try_member(world.acme, world.ann, role), Errc::not_found);
  }
  check_error(world.try_member(world.acme, world.ann, "owner", {{"acme.example"}, {}}),
              Errc::invalid);
  CHECK(world.tenants_of(world.ann).empty());
}

TEST_CASE("members_are_listed_in_pages", "[people]") {
  Team world;
  world.member(world.acme, world.bob, "viewer");
  world.member(world.acme, world.ann, "owner");
  const auto list = [&](PersonId after, std::size_t limit) {
    std::vector<PersonId> out;
    for (const auto& m :
         world.look(world.acme, [=](sql::TenantScope& s) { return list_members(s, after, limit); }))
      out.push_back(m.person);
    return out;
  };
  CHECK(list({}, 1) == std::vector{world.ann});
  CHECK(list(world.ann, 1) == std::vector{world.bob});
  CHECK(list(world.bob, 1).empty());
}

TEST_CASE("role_of_a_member_decides_what_is_allowed", "[people]") {
  Team world;
  const auto custom = world.role(world.acme, "Sender", "message.send,message.read");
  world.member(world.acme, world.ann, "owner");
  world.member(world.acme, world.bob, custom.id.text());
  CHECK(world.access(world.ann).permissions == PermissionSet::all(Realm::tenant));
  CHECK(world.access(world.bob).permissions == permissions("message.read,message.send"));
  must(world.set_role(world.bob, "viewer"));
  CHECK(world.access(world.bob).permissions == permissions_of(BuiltInRole::viewer));
  check_error(world.set_role(world.bob, "nothing"), Errc::not_found);
  check_error(world.set_role(PersonId::make(), "viewer"), Errc::not_found);
  Member stray;
  stray.role = RoleId::make().text();
  CHECK(world.look(world.acme, [stray](sql::TenantScope& s) { return resolve_member(s, stray); })
            .permissions.empty());
}

TEST_CASE("role_of_another_tenant_is_none_here", "[people]") {
  Team world;
  const auto other = world.tenant("other").id;
  const auto theirs = world.role(other, "Sender", "message.send");
  check_error(world.try_member(world.acme, world.ann, theirs.id.text()), Errc::not_found);
}

TEST_CASE("owner_is_neither_removed_nor_demoted_nor_narrowed", "[people]") {
  Team world;
  world.domain(world.acme, "acme.example");
  world.member(world.acme, world.ann, "owner");
  world.member(world.acme, world.bob, "owner");
  check_error(world.remove(world.ann), Errc::denied);
  check_error(world.set_role(world.ann, "viewer"), Errc::denied);
  check_error(world.scoped(world.acme,
                           [&](sql::TenantScope& s) {
                             return set_member_narrowing(s, world.ann, {{"acme.example"}, {}});
                           }),
              Errc::denied);
  CHECK(must(world.read_member(world.acme, world.ann)).owner);
}

TEST_CASE("ownership_is_no_role_to_be_given", "[people]") {
  Team world;
  world.member(world.acme, world.ann, "owner");
  world.member(world.acme, world.bob, "admin");
  check_error(world.set_role(world.bob, "owner"), Errc::denied);
  CHECK_FALSE(must(world.read_member(world.acme, world.bob)).owner);
}

TEST_CASE("last_owner_cannot_give_the_ownership_up", "[people]") {
  Team world;
  world.domain(world.acme, "acme.example");
  world.member(world.acme, world.ann, "owner");
  world.member(world.acme, world.bob, "viewer", {{"acme.example"}, {}});
  const auto give_up = [&](PersonId who, const std::string& role) {
    return world.scoped(world.acme,
                        [=](sql::TenantScope& s) { return give_up_ownership(s, who, role); });
  };
  check_error(give_up(world.ann, "admin"), Errc::denied);
  check_error(give_up(world.bob, "admin"), Errc::denied);
  must(world.scoped(world.acme, [&](sql::TenantScope& s) { return make_owner(s, world.bob); }));
  CHECK(must(world.read_member(world.acme, world.bob)).role == "owner");
  CHECK(must(world.read_member(world.acme, world.bob)).narrowing.none());
  check_error(give_up(world.ann, "owner"), Errc::denied);
  must(give_up(world.ann, "admin"));
  CHECK_FALSE(must(world.read_member(world.acme, world.ann)).owner);
  check_error(give_up(world.bob, "admin"), Errc::denied);
  must(world.remove(world.ann));
  CHECK(world.tenants_of(world.ann).empty());
  check_error(world.remove(world.ann), Errc::not_found);
}

TEST_CASE("ownership_is_transferred_in_one_step", "[people]") {
  Team world;
  world.member(world.acme, world.ann, "owner");
  world.member(world.acme, world.bob, "viewer");
  const auto transfer = [&](PersonId from, PersonId to) {
    return world.scoped(world.acme, [=](sql::TenantScope& s) {
      return transfer_ownership(s, {from, to, "editor"});
    });
  };
  check_error(transfer(world.ann, world.ann), Errc::invalid);
  check_error(transfer(world.ann, PersonId::make()), Errc::not_found);
  check_error(transfer(world.bob, world.ann), Errc::denied);
  CHECK_FALSE(must(world.read_member(world.acme, world.bob)).owner);
  must(transfer(world.ann, world.bob));
  CHECK(must(world.read_member(world.acme, world.ann)).role == "editor");
  CHECK(must(world.read_member(world.acme, world.bob)).owner);
}

TEST_CASE("members_of_a_tenant_are_bounded", "[people]") {
  Team world;
  must(world.change([&](sql::Transaction& tx) -> Result<void> {
    sql::TenantScope scope(tx, world.acme);
    for (std::size_t i = 0; i < kMaxMembers; ++i) {
      NewPerson fresh;
      fresh.id = PersonId::make();
      fresh.email = "p" + std::to_string(i) + "@x.example";
      if (auto made = add_person(tx, fresh); !made) return std::unexpected(made.error());
      if (auto made = add_member(scope, {fresh.id, "viewer", {}, "", {}}); !made)
        return std::unexpected(made.error());
    }
    return {};
  }));
  check_error(world.try_member(world.acme, world.ann, "viewer"), Errc::too_large);
}

TEST_CASE("role_names_are_unique_and_not_those_of_built_in_roles", "[people]") {
  Team world;
  const auto made = world.role(world.acme, " Sender ", "message.send");
  CHECK(made.name == "Sender");
  const auto add = [&](const std::string& name, const PermissionSet& set) {
    const Role fresh{RoleId::make(), name, set, world.clock.now()};
    return world.scoped(world.acme, [fresh](sql::TenantScope& s) { return add_role(s, fresh); });
  };
  const auto some = permissions("message.send");
  check_error(add("Sender", some), Errc::exists);
  check_error(add("Owner", some), Errc::exists);
  check_error(add("", some), Errc::invalid);
  check_error(add("Nothing", {}), Errc::invalid);
  check_error(add("Platform", PermissionSet::everything()), Errc::invalid);
  CHECK(add("Everything", PermissionSet::all(Realm::tenant)));
  const auto names =
      world.look(world.acme, [](sql::TenantScope& s) { return list_roles(s, "Everything", 10); });
  REQUIRE(names.size() == 1);
  CHECK(names[0].id == made.id);
  CHECK(names[0].permissions == some);
}

TEST_CASE("role_is_changed_for_its_members_and_stays_while_it_has_any", "[people]") {
  Team world;
  const auto made = world.role(world.acme, "Sender", "message.send");
  world.role(world.acme, "Other", "message.send");
  world.member(world.acme, world.bob, made.id.text());
  const auto update = [&](RoleId id, const std::string& name, std::string_view allowed) {
    return world.scoped(world.acme, [=, set = permissions(allowed)](sql::TenantScope& s) {
      return update_role(s, id, name, set);
    });
  };
  const auto remove = [&] {
    return world.scoped(world.acme,
                        [id = made.id](sql::TenantScope& s) { return remove_role(s, id); });
  };
  must(update(made.id, "Reader", "message.read"));
  CHECK(world.access(world.bob).permissions == permissions("message.read"));
  check_error(update(made.id, "Other", "message.read"), Errc::exists);
  check_error(update(RoleId::make(), "New", "message.read"), Errc::not_found);
  check_error(remove(), Errc::denied);
  must(world.set_role(world.bob, "viewer"));
  must(remove());
  check_error(remove(), Errc::not_found);
}

TEST_CASE("roles_of_a_tenant_are_bounded", "[people]") {
  Team world;
  for (std::size_t i = 0; i < kMaxRoles; ++i)
    world.role(world.acme, "role " + std::to_string(i), "message.send");
  const Role fresh{RoleId::make(), "more", permissions("message.send"), world.clock.now()};
  check_error(world.scoped(world.acme, [fresh](sql::TenantScope& s) { return add_role(s, fresh); }),
              Errc::too_large);
}
