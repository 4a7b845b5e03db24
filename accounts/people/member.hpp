// Members: which people belong to a tenant, and what they may do there. Tenant table `members`,
// with a twin row in the platform table `memberships` that finds a person's tenants.
//
// Invariants: both rows are written in one transaction. The role `owner` and the flag are one
// thing: who has it is not narrowed, and can't be removed, demoted or narrowed as long as it lasts.
// Only give_up_ownership and transfer_ownership end it: who may call them is the caller's check
// (the owner, an operator). A tenant that has had an owner has one for ever.
//
// Whether person and tenant are active is not looked at here.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "accounts/access/caller.hpp"
#include "core/id.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "storage/sql/transaction.hpp"

namespace postern::accounts {

inline constexpr std::size_t kMaxMembers = 1000;      ///< of one tenant
inline constexpr std::size_t kMaxMemberships = 1000;  ///< of one person

struct Member {
  PersonId person;
  std::string role;  ///< a built-in role's name, or the id of one of the tenant's own (RoleId)
  bool owner = false;
  Narrowing narrowing;
  std::string invited_by;  ///< for people to read, as the caller gave it
  Timestamp created;
};

struct NewMember {
  PersonId person;
  std::string role;  ///< "owner" makes an owner
  Narrowing narrowing;
  std::string invited_by;  ///< at most kMaxMadeBy octets
  Timestamp created;
};

/// Errc::not_found (person, role, or a name of the narrowing), Errc::exists (a member already),
/// Errc::invalid (an owner can't be narrowed), Errc::too_large (kMaxMembers, kMaxMemberships).
Result<Member> add_member(sql::TenantScope& scope, const NewMember& fresh);
Result<Member> find_member(sql::TenantScope& scope, PersonId person);
/// In order of person id, those after `after` (nil: from the start); at most `limit`.
std::vector<Member> list_members(sql::TenantScope& scope, PersonId after, std::size_t limit);
/// Persons with the flag, whatever their status; at most `limit`.
std::vector<PersonId> list_owners(sql::TenantScope& scope, std::size_t limit);
/// In order of tenant id, those after `after`.
std::vector<TenantId> list_memberships(sql::Transaction& tx, PersonId person, TenantId after,
                                       std::size_t limit);

/// Errc::denied for an owner, and for the role `owner`; Errc::not_found (member, role).
Result<void> set_member_role(sql::TenantScope& scope, PersonId person, std::string_view role);
/// Errc::denied for an owner; see check_narrowing for the others.
Result<void> set_member_narrowing(sql::TenantScope& scope, PersonId person,
                                  const Narrowing& narrowing);
/// Errc::denied for an owner, Errc::not_found.
Result<void> remove_member(sql::TenantScope& scope, PersonId person);

/// Makes a member one more owner and lifts the narrowing. Nothing changes for who is one.
Result<void> make_owner(sql::TenantScope& scope, PersonId person);
/// The owner becomes a member with `role`. Errc::denied for the last owner and for who is none.
Result<void> give_up_ownership(sql::TenantScope& scope, PersonId person, std::string_view role);
struct Handover {
  PersonId from;
  PersonId to;       ///< a member; Errc::invalid when it is `from`
  std::string role;  ///< what `from` has afterwards
};
Result<void> transfer_ownership(sql::TenantScope& scope, const Handover& handover);

/// What a member may do in the tenant.
struct MemberAccess {
  PermissionSet permissions;
  Narrowing narrowing;
};
/// A role that can't be found allows nothing.
MemberAccess resolve_member(sql::TenantScope& scope, const Member& member);

}  // namespace postern::accounts
