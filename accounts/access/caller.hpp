// Who asks for something to be done, and how far they reach: the one value that every permission
// check, look-up and audit record is made from.
//
// Made once a request by the door through which it came (web/access/, for instance); never stored.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "accounts/access/permission.hpp"
#include "core/id.hpp"
#include "core/time.hpp"

namespace postern::accounts {

enum class CallerKind : std::uint8_t {
  nobody,     ///< not signed in
  operator_,  ///< over the management socket: whoever runs the server
  person,     ///< a console login
  api_key,    ///< a program
};

/// Some domains or mailboxes only. Empty lists mean no narrowing; otherwise a thing is reached when
/// either list names it. A mailbox is also reached by its domain.
struct Narrowing {
  std::vector<std::string> domains;   ///< canonical names
  std::vector<std::string> accounts;  ///< canonical addresses
  [[nodiscard]] bool none() const { return domains.empty() && accounts.empty(); }
  [[nodiscard]] bool reaches_domain(const std::string& domain) const;
  [[nodiscard]] bool reaches_account(const std::string& address) const;
};

/// How far a person's sign-in has come.
enum class SignIn : std::uint8_t {
  none,
  half,       ///< a second factor is still to be given
  enrolling,  ///< none is set up, and the operator demands one
  whole,
};

struct Caller {
  CallerKind kind = CallerKind::nobody;
  SignIn sign_in = SignIn::none;  ///< of a person
  std::string id;                 ///< of the person or key; the uid of an operator
  std::string name;               ///< for people to read: email address, key label, "uid 0"
  std::string original;           ///< set when somebody acts as another: who really acts
  /// The tenant in which it acts; without one only the platform's things are reached, and by an
  /// operator everything.
  std::optional<TenantId> tenant;
  PermissionSet permissions;
  Narrowing narrowing;
  /// When the person last gave a second factor in this session, for destructive calls.
  std::optional<Timestamp> verified_at;

  [[nodiscard]] bool may(Permission permission) const { return permissions.has(permission); }
  /// Whether the tenant's things are within its reach: the one in which it acts, or any for an
  /// operator who acts in none.
  [[nodiscard]] bool reaches(TenantId other) const {
    return tenant ? *tenant == other : kind == CallerKind::operator_;
  }
};

/// Whoever may open the management socket: everything, everywhere.
Caller operator_caller(std::uint32_t uid);

}  // namespace postern::accounts
