#include "web/access/person_mail.hpp"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "accounts/factors/one_time_token.hpp"
#include "accounts/people/person.hpp"
#include "core/log.hpp"

namespace postern::web {

namespace {

using accounts::OneTimeToken;
using accounts::TokenKind;

constexpr std::uint32_t kMailsAMinute = 3;  // to one address: a burst, then one each 20 seconds

struct Wording {
  TokenKind kind;
  std::string_view path;  ///< of the page that takes the secret
  std::string_view subject;
  std::string_view text;  ///< {link} and {time}
};

constexpr std::array kWordings{
    Wording{TokenKind::sign_in_link, "sign-in", "Your sign-in link",
            "Open this link to sign in:\n\n{link}\n\nIt works once, within {time}. If you didn't "
            "ask for it, you can ignore this message.\n"},
    Wording{TokenKind::password_reset, "password-reset", "Reset your password",
            "Open this link to choose a new password:\n\n{link}\n\nIt works once, within {time}. "
            "If you didn't ask for it, your password stays as it is.\n"},
    Wording{TokenKind::verify_email, "sign-up", "Finish your sign-up",
            "Open this link to finish your sign-up:\n\n{link}\n\nIt works once, within {time}. If "
            "you didn't ask for it, you can ignore this message.\n"},
    Wording{TokenKind::invitation, "invitation", "You are invited",
            "You are invited to join {tenant}. Open this link to accept:\n\n{link}\n\nIt works "
            "once, within {time}.\n"},
};

const Wording& wording_of(TokenKind kind) {
  return *std::ranges::find(kWordings, kind, &Wording::kind);
}

std::string time_text(Micros time) {
  const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(time).count();
  constexpr std::int64_t kHour = 60;
  return minutes < 2 * kHour ? fmt::format("{} minutes", minutes)
                             : fmt::format("{} hours", minutes / kHour);
}

void put(std::string& text, std::string_view name, std::string_view value) {
  if (const auto at = text.find(name); at != std::string::npos)
    text.replace(at, name.size(), value);
}

accounts::Mail mail_of(TokenKind kind, std::string to, const std::string& url,
                       const std::string& tenant, Timestamp now) {
  const auto& wording = wording_of(kind);
  std::string text(wording.text);
  put(text, "{tenant}", tenant);
  put(text, "{link}", url);
  put(text, "{time}", time_text(lifetime_of(kind)));
  return {std::move(to), std::string(wording.subject), std::move(text), now + lifetime_of(kind)};
}

TokenKind kind_of(PersonMail::Kind kind) {
  switch (kind) {
    case PersonMail::sign_in_link: return TokenKind::sign_in_link;
    case PersonMail::email_code: return TokenKind::email_code;
    case PersonMail::password_reset: return TokenKind::password_reset;
    case PersonMail::sign_up: return TokenKind::verify_email;
  }
  return TokenKind::sign_in_link;
}

// What to store for whom, or not_found: then nothing is mailed.
struct Minted {
  std::string digest;
  OneTimeToken token;
  std::string secret;  ///< link or code
};

Result<std::string> store(sql::Transaction& tx, PersonMail::Kind kind, Minted minted) {
  auto person = accounts::find_person(tx, minted.token.email);
  const bool expected = kind != PersonMail::sign_up;
  if (person.has_value() != expected) return fail(Errc::not_found, "nobody to write to");
  if (person) {
    if (person->status == accounts::PersonStatus::suspended)
      return fail(Errc::not_found, "nobody to write to");
    minted.token.person = person->id;
    minted.token.email = person->email;
  }
  auto added = accounts::add_token(tx, minted.digest, minted.token);
  if (!added) return std::unexpected(added.error());
  return added->email;
}

Task<Result<void>> send(Services& services, PersonMail mail) {
  const auto now = services.clock->now();
  const auto kind = kind_of(mail.kind);
  Minted minted;
  minted.token.kind = kind;
  minted.token.email = mail.email;
  minted.token.created = now;
  minted.token.expires = now + lifetime_of(kind);
  if (kind == TokenKind::email_code) {
    minted.secret = accounts::make_email_code();
    const auto digest = email_code_digest(services, mail.email, minted.secret);
    if (!digest) co_return fail(Errc::invalid, "not an address");
    minted.digest = *digest;
  } else {
    auto link = make_link(services, kind);
    minted.digest = link.digest;
    minted.secret = link.url;
  }
  auto to = co_await services.registry->note<std::string>(
      [which = mail.kind, minted](sql::Transaction& tx) { return store(tx, which, minted); });
  if (!to) co_return std::unexpected(to.error());
  if (kind != TokenKind::email_code)
    co_return co_await services.mailer->send(mail_of(kind, *to, minted.secret, "", now));
  accounts::Mail code{*to, "Your sign-in code",
                      fmt::format("Your code is {}. It works once, within {}.\n", minted.secret,
                                  time_text(lifetime_of(kind))),
                      minted.token.expires};
  co_return co_await services.mailer->send(std::move(code));
}

Task<void> send_and_log(Services& services, PersonMail mail) {
  const auto kind = kind_of(mail.kind);
  auto sent = co_await send(services, std::move(mail));
  if (!sent && sent.error().code != Errc::not_found && sent.error().code != Errc::invalid) {
    log::warn("person_mail_failed",
              {{"kind", static_cast<int>(kind)}, {"error", sent.error().message}});
  }
}

}  // namespace

Micros lifetime_of(TokenKind kind) {
  switch (kind) {
    case TokenKind::verify_email: return std::chrono::hours(24);
    case TokenKind::sign_in_link: return std::chrono::minutes(15);
    case TokenKind::password_reset: return std::chrono::hours(1);
    case TokenKind::invitation: return std::chrono::days(7);
    case TokenKind::email_code: return std::chrono::minutes(10);
  }
  return std::chrono::minutes(10);
}

MailedLink make_link(const Services& services, TokenKind kind) {
  const auto token = accounts::make_secret_token(accounts::kLinkPrefix);
  return {accounts::token_digest(token).value_or(""),
          fmt::format("{}/{}#{}", services.public_url, wording_of(kind).path, token)};
}

bool may_see_link(const accounts::Caller& caller, Known known) {
  return known == Known::no || caller.kind == accounts::CallerKind::operator_;
}

Task<Result<void>> mail_invitation(Services& services, std::string email, std::string tenant,
                                   std::string url) {
  co_return co_await services.mailer->send(
      mail_of(TokenKind::invitation, std::move(email), url, tenant, services.clock->now()));
}

std::optional<std::string> email_code_digest(const Services& services, const std::string& email,
                                             const std::string& code) {
  const auto address = accounts::parse_address(email);
  if (!address) return std::nullopt;
  return accounts::email_code_mac(services.codes_key, address->text(), code);
}

void mail_later(Services& services, PersonMail mail) {
  const auto address = accounts::parse_address(mail.email);
  if (!address) return;
  mail.email = address->text();
  const auto admission =
      services.person_mails->admit(mail.email, kMailsAMinute, services.clock->now());
  if (!admission.admitted) {
    log::warn("person_mail_too_often", {{"address", mail.email}});
    return;
  }
  asio::co_spawn(services.executor(), send_and_log(services, std::move(mail)), asio::detached);
}

}  // namespace postern::web
