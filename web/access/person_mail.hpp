// The emails that let people in: links to sign in, to reset a password, to join a tenant, to finish
// a sign-up; and short codes. Their secrets are minted here and stored as digests.
//
// Where it depends on an address that anybody may give, the mail is made after the request was
// answered, so that neither the answer nor its time says whether there is such a person; and no
// more than a few a minute go to one address.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "accounts/access/caller.hpp"
#include "accounts/people/one_time_token.hpp"
#include "core/task.hpp"
#include "web/services.hpp"

namespace postern::web {

struct PersonMail {
  enum class Kind : std::uint8_t { sign_in_link, email_code, password_reset, sign_up } kind;
  using enum Kind;
  std::string email;  ///< as it was typed
};

/// Makes and sends it in a coroutine of its own; what goes wrong is logged.
void mail_later(Services& services, PersonMail mail);

/// How long what was mailed is good for.
Micros lifetime_of(accounts::TokenKind kind);

/// A fresh link's secret, and what to store of it.
struct MailedLink {
  std::string digest;
  std::string url;  ///< the secret is in its fragment, which no server on the way sees
};
MailedLink make_link(const Services& services, accounts::TokenKind kind);

/// Whether the person was there before somebody added them.
enum class Known : std::uint8_t { no, yes };
/// Whether a link that signs the person in may be shown to who added them. An operator who is a
/// person gets it for newcomers only: for anybody else it would be a key to their tenants, and to
/// those that gave a connection to the address (which counts as known for that).
bool may_see_link(const accounts::Caller& caller, Known known);

/// Sends the mail of an invitation that was stored already.
Task<Result<void>> mail_invitation(Services& services, std::string email, std::string tenant,
                                   std::string url);

/// What a mailed code is stored as: an HMAC under a key outside of the database. nullopt: not six
/// digits, or not an address.
std::optional<std::string> email_code_digest(const Services& services, const std::string& email,
                                             const std::string& code);

}  // namespace postern::web
