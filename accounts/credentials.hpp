// Credentials of an account: one password, and app passwords with labels. Tenant table.
//
// An app password reads `ppw-SSSSSSSS-XXXXX-XXXXX-XXXXX-XXXXX-XXXXX`: a public selector of 8
// characters, then a secret of 25 (125 bits) in groups, letters and digits without look-alikes. The
// selector names the one row to verify, so that a login never costs more than one Argon2. A
// person's own password may not begin with `ppw-`. Secrets are shown once; only the Argon2id hash
// is kept.
#pragma once

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

inline constexpr std::size_t kMinPassword = 8;    ///< octets
inline constexpr std::size_t kMaxPassword = 512;  ///< octets: more is refused before it is hashed
inline constexpr std::size_t kMaxAppPasswords = 100;  ///< unrevoked ones, of one account
inline constexpr std::string_view kAppPasswordPrefix = "ppw-";

enum class CredentialKind : std::uint8_t { password = 0, app_password = 1 };

struct Credential {
  CredentialId id;
  AccountId account;
  CredentialKind kind = CredentialKind::password;
  std::string selector;  ///< app passwords only; public
  std::string label;     ///< app passwords only
  std::string hash;      ///< PHC string; never leaves the program
  Timestamp created;
  std::optional<Timestamp> last_used;  ///< as of some minutes ago
  std::optional<Timestamp> revoked;
};

/// A new app password, to show once. Hash `text` whole (PasswordPool::hash).
struct AppPassword {
  std::string selector;
  std::string text;
};
AppPassword make_app_password();
/// The selector of a text in that form; nullopt for anything else. Forgives case and surrounding
/// space.
std::optional<std::string> app_password_selector(std::string_view text);
/// What is hashed and verified: an app password in its one spelling, any other password as it is.
std::string canonical_secret(std::string_view password);

/// A password for a person, to show once: five groups of five (125 bits).
std::string make_password();
/// Errc::invalid says why a password won't do.
Result<void> check_password(std::string_view password);

/// Sets or replaces the account's own password; the row (and so its id) is new.
Result<Credential> set_password(sql::TenantScope& scope, AccountId account, CredentialId id,
                                std::string_view hash, Timestamp now);
struct NewAppPassword {
  CredentialId id;
  AccountId account;
  std::string selector;
  std::string label;  ///< see parse_label
  std::string hash;
  Timestamp created;
};
/// Errc::not_found (account), Errc::invalid (label), Errc::too_large (kMaxAppPasswords).
Result<Credential> add_app_password(sql::TenantScope& scope, const NewAppPassword& fresh);
/// Newest first; revoked ones with them. At most `limit`.
std::vector<Credential> list_credentials(sql::TenantScope& scope, AccountId account,
                                         std::size_t limit);
/// Errc::not_found when there is none such unrevoked.
Result<void> revoke_credential(sql::TenantScope& scope, AccountId account, CredentialId id,
                               Timestamp now);

/// What a login verifies: the unrevoked row, or nullopt.
std::optional<Credential> find_password(sql::TenantScope& scope, AccountId account);
std::optional<Credential> find_app_password(sql::TenantScope& scope, AccountId account,
                                            std::string_view selector);
/// Any row, revoked or not.
std::optional<Credential> find_credential(sql::TenantScope& scope, CredentialId id);
/// Replaces a hash by one of the same password under newer parameters, if it is still `old_hash`.
Result<void> replace_hash(sql::TenantScope& scope, CredentialId id, std::string_view old_hash,
                          std::string_view new_hash);
Result<void> note_use(sql::TenantScope& scope, CredentialId id, Timestamp now);

}  // namespace postern::accounts
