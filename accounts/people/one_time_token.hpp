// What is mailed to somebody and works once: links (to prove an address, sign in, reset a password,
// join a tenant) and codes to type in. Platform table: whoever comes with one shows nothing else.
//
// A link holds a random token; the row its SHA-256. A code is short, so it can be guessed: its
// digest is to be made with a key and the address, it is looked up by address, and only so many
// attempts are counted (check_code). Invariants: at most one of a kind and address, a newer one
// supersedes it (an invitation: one of each tenant); consuming deletes in the same transaction;
// what has expired is refused. Deliberately missing: making and mailing the secret.
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

inline constexpr std::size_t kMaxTokenPayload = 16 * 1024;  ///< octets
inline constexpr std::size_t kMaxInvitations = 1000;        ///< open ones, of one tenant
inline constexpr std::uint32_t kCodeAttempts = 5;

/// Stored as numbers.
enum class TokenKind : std::uint8_t {
  verify_email = 1,
  sign_in_link = 2,
  password_reset = 3,
  invitation = 4,
  email_code = 5,
};

struct OneTimeToken {
  TokenKind kind = TokenKind::verify_email;
  std::optional<PersonId> person;  ///< none while the invited isn't one yet
  std::string email;               ///< canonical, once it is stored
  std::optional<TenantId> tenant;  ///< of invitations, and of these alone
  std::string payload;             ///< the maker's own
  Timestamp created;
  Timestamp expires;
  std::uint32_t attempts_left = 1;  ///< of codes; 1 for the others
};

/// Errc::invalid (digest, address, payload, an end that is past, a tenant where none belongs),
/// Errc::not_found (tenant, person), Errc::too_large (kMaxInvitations), Errc::exists (the digest).
/// `attempts_left` is not taken.
Result<OneTimeToken> add_token(sql::Transaction& tx, std::string_view digest,
                               const OneTimeToken& fresh);
/// Looks without consuming, for the page that asks before it acts. Errc::not_found, as the next:
/// unknown, used, expired or of another kind, all alike.
Result<OneTimeToken> find_token(sql::Transaction& tx, std::string_view digest, TokenKind kind,
                                Timestamp now);
/// Errc::invalid for email_code: codes go through check_code.
Result<OneTimeToken> consume_token(sql::Transaction& tx, std::string_view digest, TokenKind kind,
                                   Timestamp now);

struct CodeCheck {
  enum class Outcome : std::uint8_t {
    right,  ///< consumed
    wrong,  ///< there are attempts left
    spent,  ///< no code runs for this address, or this was the last attempt at it
  };
  Outcome outcome = Outcome::spent;
  std::optional<OneTimeToken> token;  ///< when it was right
};
/// Counts the attempt: a wrong one is a value, since an error would roll the count back. A new code
/// brings new attempts: how often one is made is the caller's to bound.
Result<CodeCheck> check_code(sql::Transaction& tx, std::string_view email, std::string_view digest,
                             Timestamp now);

/// A tenant's invitations in order of address, those after `after`; expired ones with them.
std::vector<OneTimeToken> list_invitations(sql::Transaction& tx, TenantId tenant,
                                           std::string_view after, std::size_t limit);
/// Errc::invalid (address), Errc::not_found.
Result<void> remove_invitation(sql::Transaction& tx, TenantId tenant, std::string_view email);
/// All of a person's but invitations: what was mailed before a password changed is worth nothing
/// afterwards.
std::size_t remove_tokens(sql::Transaction& tx, PersonId person);
/// Deletes at most `limit` expired ones; how many there were.
std::size_t sweep_tokens(sql::Transaction& tx, Timestamp now, std::size_t limit);

}  // namespace postern::accounts
