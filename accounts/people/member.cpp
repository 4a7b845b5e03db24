#include "accounts/people/member.hpp"

#include <fmt/format.h>

#include "accounts/people/narrowing.hpp"
#include "accounts/people/person.hpp"
#include "accounts/people/role.hpp"
#include "accounts/people/stored.hpp"
#include "accounts/tenants.hpp"

namespace postern::accounts {

namespace {

#define MEMBER_COLUMNS \
  "person_id, role, is_owner, narrowed_domains, narrowed_accounts, invited_by, created_at"

Member read_member(const sql::Statement& row) {
  Member member;
  member.person = row.id<PersonId>(0);
  member.role = row.text(1);
  member.owner = row.integer(2) != 0;
  member.narrowing = read_narrowing(row.text(3), row.text(4));
  member.invited_by = row.text(5);
  member.created = row.time(6);
  return member;
}

bool is_owner_role(std::string_view role) { return role == to_string(BuiltInRole::owner); }

/// The tenant's row guards what is said of all its members together, and roles in use.
Result<void> hold_members(sql::TenantScope& scope) {
  return hold_tenant(scope.transaction(), scope.tenant());
}

Result<void> make_room(sql::TenantScope& scope, PersonId person) {
  auto members = scope.prepare("SELECT COUNT(1) FROM members WHERE tenant_id = :tenant");
  if (members.step() && members.integer(0) >= as_integer(kMaxMembers)) {
    return fail(Errc::too_large, fmt::format("a tenant has at most {} members", kMaxMembers));
  }
  auto memberships =
      scope.transaction().prepare("SELECT COUNT(1) FROM memberships WHERE person_id = :person");
  memberships.bind(":person", person);
  if (memberships.step() && memberships.integer(0) >= as_integer(kMaxMemberships)) {
    return fail(Errc::too_large,
                fmt::format("a person belongs to at most {} tenants", kMaxMemberships));
  }
  return {};
}

void insert_member(sql::TenantScope& scope, const Member& member) {
  scope
      .prepare(
          "INSERT INTO members (tenant_id, person_id, role, is_owner, narrowed_domains, "
          "narrowed_accounts, invited_by, created_at) VALUES (:tenant, :person, :role, :owner, "
          ":domains, :accounts, :by, :created)")
      .bind(":person", member.person)
      .bind_text(":role", member.role)
      .bind(":owner", member.owner)
      .bind_text(":domains", join_lines(member.narrowing.domains))
      .bind_text(":accounts", join_lines(member.narrowing.accounts))
      .bind_text(":by", member.invited_by)
      .bind(":created", member.created)
      .run();
  scope.transaction()
      .prepare("INSERT INTO memberships (person_id, tenant_id) VALUES (:person, :id)")
      .bind(":person", member.person)
      .bind(":id", scope.tenant())
      .run();
}

Result<Member> checked(sql::TenantScope& scope, const NewMember& fresh) {
  if (auto good = check_role(scope, fresh.role); !good)
    return std::unexpected(std::move(good.error()));
  if (auto good = check_text("the inviter's name", fresh.invited_by, kMaxMadeBy); !good)
    return std::unexpected(std::move(good.error()));
  auto narrowing = check_narrowing(scope, fresh.narrowing);
  if (!narrowing) return std::unexpected(std::move(narrowing.error()));
  const bool owner = is_owner_role(fresh.role);
  if (owner && !narrowing->none()) return fail(Errc::invalid, "an owner can't be narrowed");
  return Member{fresh.person,          fresh.role,       owner,
                std::move(*narrowing), fresh.invited_by, fresh.created};
}

/// A member who may be changed: held, and no owner.
Result<void> demand_plain_member(sql::TenantScope& scope, PersonId person) {
  if (auto held = hold_members(scope); !held) return held;
  const auto member = find_member(scope, person);
  if (!member) return std::unexpected(member.error());
  if (member->owner) return fail(Errc::denied, "an owner has to give up the ownership first");
  return {};
}

void write_role(sql::TenantScope& scope, PersonId person, std::string_view role) {
  scope
      .prepare(
          "UPDATE members SET role = :role, is_owner = :owner WHERE tenant_id = :tenant "
          "AND person_id = :person")
      .bind_text(":role", role)
      .bind(":owner", is_owner_role(role))
      .bind(":person", person)
      .run();
}

void write_narrowing(sql::TenantScope& scope, PersonId person, const Narrowing& narrowing) {
  scope
      .prepare(
          "UPDATE members SET narrowed_domains = :domains, narrowed_accounts = :accounts "
          "WHERE tenant_id = :tenant AND person_id = :person")
      .bind_text(":domains", join_lines(narrowing.domains))
      .bind_text(":accounts", join_lines(narrowing.accounts))
      .bind(":person", person)
      .run();
}

Result<void> demand_plain_role(sql::TenantScope& scope, std::string_view role) {
  if (is_owner_role(role)) {
    return fail(Errc::denied, "ownership is handed over, not given as a role");
  }
  return check_role(scope, role);
}

Result<void> demand_another_owner(sql::TenantScope& scope, PersonId person) {
  auto other = scope.prepare(
      "SELECT person_id FROM members WHERE tenant_id = :tenant AND is_owner = 1 "
      "AND person_id <> :person LIMIT 1");
  other.bind(":person", person);
  if (!other.step()) {
    return fail(Errc::denied, "the tenant's last owner: make another member the owner first");
  }
  return {};
}

}  // namespace

Result<Member> add_member(sql::TenantScope& scope, const NewMember& fresh) {
  if (auto held = hold_members(scope); !held) return std::unexpected(std::move(held.error()));
  if (auto held = hold_person(scope.transaction(), fresh.person); !held)
    return std::unexpected(std::move(held.error()));
  if (auto room = make_room(scope, fresh.person); !room)
    return std::unexpected(std::move(room.error()));
  auto member = checked(scope, fresh);
  if (!member) return member;
  try {
    insert_member(scope, *member);
  } catch (const sql::UniqueViolation&) {
    return fail(Errc::exists, "the person is a member already");
  }
  return member;
}

Result<Member> find_member(sql::TenantScope& scope, PersonId person) {
  auto row = scope.prepare("SELECT " MEMBER_COLUMNS
                           " FROM members WHERE tenant_id = :tenant AND person_id = :person");
  row.bind(":person", person);
  if (!row.step()) return fail(Errc::not_found, "no such member");
  return read_member(row);
}

std::vector<Member> list_members(sql::TenantScope& scope, PersonId after, std::size_t limit) {
  auto rows = scope.prepare("SELECT " MEMBER_COLUMNS
                            " FROM members WHERE tenant_id = :tenant AND person_id > :after "
                            "ORDER BY person_id LIMIT :limit");
  rows.bind(":after", after).bind(":limit", as_integer(limit));
  std::vector<Member> members;
  while (rows.step()) members.push_back(read_member(rows));
  return members;
}

std::vector<PersonId> list_owners(sql::TenantScope& scope, std::size_t limit) {
  auto rows = scope.prepare(
      "SELECT person_id FROM members WHERE tenant_id = :tenant AND is_owner = 1 ORDER BY person_id "
      "LIMIT :limit");
  rows.bind(":limit", as_integer(limit));
  std::vector<PersonId> owners;
  while (rows.step()) owners.push_back(rows.id<PersonId>(0));
  return owners;
}

std::vector<TenantId> list_memberships(sql::Transaction& tx, PersonId person, TenantId after,
                                       std::size_t limit) {
  auto rows = tx.prepare(
      "SELECT tenant_id FROM memberships WHERE person_id = :person AND tenant_id > :after "
      "ORDER BY tenant_id LIMIT :limit");
  rows.bind(":person", person).bind(":after", after).bind(":limit", as_integer(limit));
  std::vector<TenantId> tenants;
  while (rows.step()) tenants.push_back(rows.id<TenantId>(0));
  return tenants;
}

Result<void> set_member_role(sql::TenantScope& scope, PersonId person, std::string_view role) {
  if (auto good = demand_plain_member(scope, person); !good) return good;
  if (auto good = demand_plain_role(scope, role); !good) return good;
  write_role(scope, person, role);
  return {};
}

Result<void> set_member_narrowing(sql::TenantScope& scope, PersonId person,
                                  const Narrowing& narrowing) {
  if (auto good = demand_plain_member(scope, person); !good) return good;
  const auto checked = check_narrowing(scope, narrowing);
  if (!checked) return std::unexpected(checked.error());
  write_narrowing(scope, person, *checked);
  return {};
}

Result<void> remove_member(sql::TenantScope& scope, PersonId person) {
  if (auto good = demand_plain_member(scope, person); !good) return good;
  scope.prepare("DELETE FROM members WHERE tenant_id = :tenant AND person_id = :person")
      .bind(":person", person)
      .run();
  scope.transaction()
      .prepare("DELETE FROM memberships WHERE person_id = :person AND tenant_id = :id")
      .bind(":person", person)
      .bind(":id", scope.tenant())
      .run();
  return {};
}

Result<void> make_owner(sql::TenantScope& scope, PersonId person) {
  if (auto held = hold_members(scope); !held) return held;
  if (const auto member = find_member(scope, person); !member)
    return std::unexpected(member.error());
  write_role(scope, person, to_string(BuiltInRole::owner));
  write_narrowing(scope, person, {});
  return {};
}

Result<void> give_up_ownership(sql::TenantScope& scope, PersonId person, std::string_view role) {
  if (auto held = hold_members(scope); !held) return held;
  const auto member = find_member(scope, person);
  if (!member) return std::unexpected(member.error());
  if (!member->owner) return fail(Errc::denied, "the member is no owner");
  if (auto good = demand_plain_role(scope, role); !good) return good;
  if (auto other = demand_another_owner(scope, person); !other) return other;
  write_role(scope, person, role);
  return {};
}

Result<void> transfer_ownership(sql::TenantScope& scope, const Handover& handover) {
  if (handover.from == handover.to) {
    return fail(Errc::invalid, "ownership is handed over to somebody else");
  }
  if (auto made = make_owner(scope, handover.to); !made) return made;
  return give_up_ownership(scope, handover.from, handover.role);
}

MemberAccess resolve_member(sql::TenantScope& scope, const Member& member) {
  return {role_permissions(scope, member.role), member.narrowing};
}

#undef MEMBER_COLUMNS

}  // namespace postern::accounts
