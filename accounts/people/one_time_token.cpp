#include "accounts/people/one_time_token.hpp"

#include <fmt/format.h>

#include "accounts/names.hpp"
#include "accounts/people/person.hpp"
#include "accounts/people/stored.hpp"
#include "accounts/tenants.hpp"
#include "core/crypto.hpp"

namespace postern::accounts {

namespace {

#define TOKEN_COLUMNS \
  "kind, person_id, email, tenant_id, payload, created_at, expires_at, attempts_left"

OneTimeToken read_token(const sql::Statement& row) {
  OneTimeToken token;
  token.kind = static_cast<TokenKind>(row.integer(0));
  if (!row.is_null(1)) token.person = row.id<PersonId>(1);
  token.email = row.text(2);
  if (!row.is_null(3)) token.tenant = row.id<TenantId>(3);
  token.payload = row.text(4);
  token.created = row.time(5);
  token.expires = row.time(6);
  token.attempts_left = static_cast<std::uint32_t>(row.integer(7));
  return token;
}

template <class IdType>
void bind_optional_id(sql::Statement& statement, std::string_view name,
                      const std::optional<IdType>& id) {
  if (id) {
    statement.bind(name, *id);
  } else {
    statement.bind_null(name);
  }
}

std::unexpected<Error> unknown() {
  return fail(Errc::not_found, "this link or code is not good (any more)");
}

Result<OneTimeToken> checked(std::string_view digest, const OneTimeToken& fresh) {
  if (auto good = check_digest(digest); !good) return std::unexpected(std::move(good.error()));
  const auto email = parse_address(fresh.email);
  if (!email) return std::unexpected(email.error());
  if (fresh.expires <= fresh.created) return fail(Errc::invalid, "a token ends after it begins");
  if (fresh.payload.size() > kMaxTokenPayload) {
    return fail(Errc::invalid, fmt::format("a payload is at most {} octets", kMaxTokenPayload));
  }
  if (fresh.tenant.has_value() != (fresh.kind == TokenKind::invitation)) {
    return fail(Errc::invalid, "invitations, and these alone, are a tenant's");
  }
  auto token = fresh;
  token.email = email->text();
  token.attempts_left = fresh.kind == TokenKind::email_code ? kCodeAttempts : 1;
  return token;
}

Result<void> hold_makers(sql::Transaction& tx, const OneTimeToken& token) {
  if (token.person) {
    if (auto held = hold_person(tx, *token.person); !held) return held;
  }
  return token.tenant ? hold_tenant(tx, *token.tenant) : Result<void>{};
}

void supersede(sql::Transaction& tx, const OneTimeToken& token) {
  auto older = tx.prepare(
      "DELETE FROM one_time_tokens WHERE email = :email AND kind = :kind "
      "AND (tenant_id IS NULL OR tenant_id = :owner)");
  older.bind_text(":email", token.email).bind(":kind", static_cast<int>(token.kind));
  bind_optional_id(older, ":owner", token.tenant);
  older.run();
}

Result<void> make_room(sql::Transaction& tx, const OneTimeToken& token) {
  if (!token.tenant) return {};
  auto count = tx.prepare(
      "SELECT COUNT(1) FROM one_time_tokens WHERE tenant_id = :owner AND kind = :kind "
      "AND expires_at > :now");
  count.bind(":owner", *token.tenant)
      .bind(":kind", static_cast<int>(token.kind))
      .bind(":now", token.created);
  if (count.step() && count.integer(0) >= as_integer(kMaxInvitations)) {
    return fail(Errc::too_large,
                fmt::format("a tenant has at most {} open invitations", kMaxInvitations));
  }
  return {};
}

void insert_token(sql::Transaction& tx, std::string_view digest, const OneTimeToken& token) {
  auto insert = tx.prepare(
      "INSERT INTO one_time_tokens (digest, kind, person_id, email, tenant_id, payload, "
      "created_at, expires_at, attempts_left) VALUES (:digest, :kind, :person, :email, :owner, "
      ":payload, :created, :expires, :attempts)");
  insert.bind_blob(":digest", digest)
      .bind(":kind", static_cast<int>(token.kind))
      .bind_text(":email", token.email)
      .bind_text(":payload", token.payload)
      .bind(":created", token.created)
      .bind(":expires", token.expires)
      .bind(":attempts", token.attempts_left);
  bind_optional_id(insert, ":person", token.person);
  bind_optional_id(insert, ":owner", token.tenant);
  insert.run();
}

void delete_token(sql::Transaction& tx, std::string_view digest) {
  tx.prepare("DELETE FROM one_time_tokens WHERE digest = :digest")
      .bind_blob(":digest", digest)
      .run();
}

struct Code {
  std::string digest;
  OneTimeToken token;
};

/// The running code of an address, one attempt taken off.
std::optional<Code> take_attempt(sql::Transaction& tx, std::string_view email, Timestamp now) {
  tx.prepare(
        "UPDATE one_time_tokens SET attempts_left = attempts_left - 1 WHERE email = :email "
        "AND kind = :kind AND expires_at > :now AND attempts_left > 0")
      .bind_text(":email", email)
      .bind(":kind", static_cast<int>(TokenKind::email_code))
      .bind(":now", now)
      .run();
  if (tx.changes() == 0) return std::nullopt;
  auto row = tx.prepare("SELECT " TOKEN_COLUMNS
                        ", digest FROM one_time_tokens WHERE email = :email AND kind = :kind");
  row.bind_text(":email", email).bind(":kind", static_cast<int>(TokenKind::email_code));
  if (!row.step()) return std::nullopt;
  return Code{std::string(row.blob(8)), read_token(row)};
}

}  // namespace

Result<OneTimeToken> add_token(sql::Transaction& tx, std::string_view digest,
                               const OneTimeToken& fresh) {
  auto token = checked(digest, fresh);
  if (!token) return token;
  if (auto held = hold_makers(tx, *token); !held) return std::unexpected(std::move(held.error()));
  supersede(tx, *token);
  if (auto room = make_room(tx, *token); !room) return std::unexpected(std::move(room.error()));
  try {
    insert_token(tx, digest, *token);
  } catch (const sql::UniqueViolation&) {
    return fail(Errc::exists, "that token is here already");
  }
  return token;
}

Result<OneTimeToken> find_token(sql::Transaction& tx, std::string_view digest, TokenKind kind,
                                Timestamp now) {
  auto row = tx.prepare("SELECT " TOKEN_COLUMNS
                        " FROM one_time_tokens WHERE digest = :digest AND kind = :kind "
                        "AND expires_at > :now");
  row.bind_blob(":digest", digest).bind(":kind", static_cast<int>(kind)).bind(":now", now);
  if (!row.step()) return unknown();
  return read_token(row);
}

Result<OneTimeToken> consume_token(sql::Transaction& tx, std::string_view digest, TokenKind kind,
                                   Timestamp now) {
  if (kind == TokenKind::email_code) return fail(Errc::invalid, "codes are checked by address");
  auto token = find_token(tx, digest, kind, now);
  if (!token) return token;
  delete_token(tx, digest);
  // Whoever deleted the row has consumed it: of two at once only one.
  if (tx.changes() == 0) return unknown();
  return token;
}

Result<CodeCheck> check_code(sql::Transaction& tx, std::string_view email, std::string_view digest,
                             Timestamp now) {
  const auto address = parse_address(email);
  if (!address) return std::unexpected(address.error());
  const auto code = take_attempt(tx, address->text(), now);
  if (!code) return CodeCheck{CodeCheck::Outcome::spent, std::nullopt};
  if (crypto::constant_time_equal(code->digest, digest)) {
    delete_token(tx, code->digest);
    return CodeCheck{CodeCheck::Outcome::right, code->token};
  }
  if (code->token.attempts_left > 0) return CodeCheck{CodeCheck::Outcome::wrong, std::nullopt};
  delete_token(tx, code->digest);
  return CodeCheck{CodeCheck::Outcome::spent, std::nullopt};
}

std::vector<OneTimeToken> list_invitations(sql::Transaction& tx, TenantId tenant,
                                           std::string_view after, std::size_t limit) {
  auto rows = tx.prepare("SELECT " TOKEN_COLUMNS
                         " FROM one_time_tokens WHERE tenant_id = :owner AND kind = :kind "
                         "AND email > :after ORDER BY email LIMIT :limit");
  rows.bind(":owner", tenant)
      .bind(":kind", static_cast<int>(TokenKind::invitation))
      .bind_text(":after", after)
      .bind(":limit", as_integer(limit));
  std::vector<OneTimeToken> tokens;
  while (rows.step()) tokens.push_back(read_token(rows));
  return tokens;
}

Result<void> remove_invitation(sql::Transaction& tx, TenantId tenant, std::string_view email) {
  const auto address = parse_address(email);
  if (!address) return std::unexpected(address.error());
  tx.prepare(
        "DELETE FROM one_time_tokens WHERE tenant_id = :owner AND kind = :kind AND email = :email")
      .bind(":owner", tenant)
      .bind(":kind", static_cast<int>(TokenKind::invitation))
      .bind_text(":email", address->text())
      .run();
  if (tx.changes() == 0) return fail(Errc::not_found, "no such invitation");
  return {};
}

std::size_t remove_tokens(sql::Transaction& tx, PersonId person) {
  tx.prepare("DELETE FROM one_time_tokens WHERE person_id = :person AND tenant_id IS NULL")
      .bind(":person", person)
      .run();
  return static_cast<std::size_t>(tx.changes());
}

std::size_t sweep_tokens(sql::Transaction& tx, Timestamp now, std::size_t limit) {
  tx.prepare(
        "DELETE FROM one_time_tokens WHERE digest IN (SELECT digest FROM one_time_tokens "
        "WHERE expires_at <= :now ORDER BY expires_at LIMIT :limit)")
      .bind(":now", now)
      .bind(":limit", as_integer(limit))
      .run();
  return static_cast<std::size_t>(tx.changes());
}

#undef TOKEN_COLUMNS

}  // namespace postern::accounts
