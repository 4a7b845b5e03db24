// People: who signs in to the console. Platform tables (`people`, `recovery_codes`): functions take
// the plain transaction.
//
// A person is not an account: an account is a mailbox of one tenant and its passwords are for mail
// programs; a person belongs to tenants as a member (member.hpp), or to the platform as an
// operator. The email address is the person's name here, in the canonical form of parse_address,
// and needn't be hosted by this server. Invariants: addresses are unique; a TOTP step is accepted
// once.
//
// Password hashes arrive as PHC strings, the TOTP secret wrapped, recovery codes as digests:
// nothing here sees a secret in the clear. An error rolls its transaction back, so what must be
// kept of a failed sign-in (note_sign_in_failure) answers with a value. Deliberately missing: a
// change of the address.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/id.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "storage/sql/transaction.hpp"

namespace postern::accounts {

inline constexpr std::size_t kMaxPasswordHash = 512;   ///< octets
inline constexpr std::size_t kMaxWrappedSecret = 512;  ///< octets
inline constexpr std::size_t kMaxRecoverySalt = 64;    ///< octets
inline constexpr std::size_t kMaxRecoveryCodes = 20;   ///< of one person

/// Stored as numbers, as is PlatformRole.
enum class PersonStatus : std::uint8_t {
  active = 0,
  suspended = 1,
  unverified = 2,  ///< the address isn't proved yet
};
enum class PlatformRole : std::uint8_t { none = 0, operator_ = 1 };
/// Whether an operator's account is the sealed one for emergencies, whose every use is an alarm.
enum class BreakGlass : std::uint8_t { no = 0, yes = 1 };

struct Person {
  PersonId id;
  std::string email;                         ///< canonical
  std::string name;                          ///< may be empty
  std::optional<std::string> password_hash;  ///< PHC string; without one only other factors sign in
  PersonStatus status = PersonStatus::unverified;
  PlatformRole platform_role = PlatformRole::none;
  BreakGlass break_glass = BreakGlass::no;
  std::optional<std::string> totp_secret;  ///< wrapped by the caller
  std::int64_t totp_last_step = 0;         ///< the newest that was accepted
  std::string recovery_salt;               ///< empty while there are no recovery codes
  std::uint32_t failed_sign_ins = 0;       ///< since the last success or lock
  std::optional<Timestamp> locked_until;
  std::optional<Timestamp> password_changed;
  Timestamp created;
  std::optional<Timestamp> last_sign_in;

  [[nodiscard]] bool is_locked(Timestamp now) const { return locked_until && now < *locked_until; }
};

struct NewPerson {
  PersonId id;
  std::string email;  ///< any form that parse_address takes
  std::string name;   ///< see parse_label; may be empty
  std::optional<std::string> password_hash;
  PersonStatus status = PersonStatus::unverified;
  Timestamp created;
};

/// Errc::invalid (address, name, hash), Errc::exists.
Result<Person> add_person(sql::Transaction& tx, const NewPerson& fresh);
Result<Person> find_person(sql::Transaction& tx, PersonId id);
/// Errc::invalid (not an address), Errc::not_found.
Result<Person> find_person(sql::Transaction& tx, std::string_view email);
/// In order of address, those after `after`; at most `limit`.
std::vector<Person> list_people(sql::Transaction& tx, std::string_view after, std::size_t limit);
std::vector<Person> list_operators(sql::Transaction& tx, std::string_view after, std::size_t limit);

// All that follow: Errc::not_found when there is no such person.

Result<void> set_person_name(sql::Transaction& tx, PersonId id, std::string_view name);
Result<void> set_person_status(sql::Transaction& tx, PersonId id, PersonStatus status);
Result<void> set_platform_role(sql::Transaction& tx, PersonId id, PlatformRole role,
                               BreakGlass break_glass);
/// Ends a lock as well. Sessions and mailed tokens are the caller's to end.
Result<void> set_password_hash(sql::Transaction& tx, PersonId id, std::string_view hash,
                               Timestamp now);
/// Replaces a hash by one of the same password under newer parameters, if it is still `old_hash`.
Result<void> replace_password_hash(sql::Transaction& tx, PersonId id, std::string_view old_hash,
                                   std::string_view new_hash);

struct LockOut {
  std::uint32_t failures = 5;  ///< in a row; at least 1
  Micros time = std::chrono::minutes{15};
};
/// The end of the lock that this failure began or fell into, if any. While it lasts failures don't
/// count; then counting begins anew.
Result<std::optional<Timestamp>> note_sign_in_failure(sql::Transaction& tx, PersonId id,
                                                      Timestamp now, LockOut rule = {});
Result<void> note_sign_in(sql::Transaction& tx, PersonId id, Timestamp now);

/// `step` is the one whose code proved that the person has the secret: it is spent.
Result<void> set_totp(sql::Transaction& tx, PersonId id, std::string_view wrapped_secret,
                      std::int64_t step);
Result<void> clear_totp(sql::Transaction& tx, PersonId id);
/// RFC 6238 §5.2: a code is good once. Errc::denied when a code of this step or a later one was
/// accepted before, or there is no secret.
Result<void> accept_totp_step(sql::Transaction& tx, PersonId id, std::int64_t step);

/// In place of all earlier ones; an empty list takes them away. Errc::invalid, Errc::too_large.
Result<void> set_recovery_codes(sql::Transaction& tx, PersonId id, std::string_view salt,
                                const std::vector<std::string>& digests);
/// Errc::denied: no such code, or it was used.
Result<void> use_recovery_code(sql::Transaction& tx, PersonId id, std::string_view digest);
std::size_t count_recovery_codes(sql::Transaction& tx, PersonId id);

/// With factors, sessions, tokens, memberships, and what connections let the person do.
/// Errc::denied while the person is a tenant's last owner (member.hpp).
Result<void> remove_person(sql::Transaction& tx, PersonId id);

/// For what is about to be added to a person: updates the row, so that the person can't go
/// meanwhile, nor somebody else count the same rows.
Result<void> hold_person(sql::Transaction& tx, PersonId id);

}  // namespace postern::accounts
