#include "accounts/people/web_session.hpp"

#include "accounts/people/person.hpp"
#include "accounts/people/stored.hpp"

namespace postern::accounts {

namespace {

#define SESSION_COLUMNS \
  "id, person_id, created_at, seen_at, expires_at, verified_at, address, user_agent, factors"

WebSession read_session(const sql::Statement& row) {
  WebSession session;
  session.id = row.id<SessionId>(0);
  session.person = row.id<PersonId>(1);
  session.created = row.time(2);
  session.seen = row.time(3);
  session.expires = row.time(4);
  session.verified = optional_time(row, 5);
  session.address = row.text(6);
  session.user_agent = row.text(7);
  session.factors = static_cast<Factors>(row.integer(8));
  return session;
}

std::size_t changed(const sql::Transaction& tx) { return static_cast<std::size_t>(tx.changes()); }

/// Leaves one place free.
void make_room(sql::Transaction& tx, PersonId person) {
  auto oldest_kept = tx.prepare(
      "SELECT id FROM web_sessions WHERE person_id = :person ORDER BY id DESC LIMIT 1 "
      "OFFSET :kept");
  oldest_kept.bind(":person", person).bind(":kept", as_integer(kMaxSessions - 1));
  if (!oldest_kept.step()) return;
  tx.prepare("DELETE FROM web_sessions WHERE person_id = :person AND id <= :id")
      .bind(":person", person)
      .bind(":id", oldest_kept.id<SessionId>(0))
      .run();
}

void insert_session(sql::Transaction& tx, std::string_view digest, const WebSession& session) {
  auto insert = tx.prepare(
      "INSERT INTO web_sessions (token_digest, id, person_id, created_at, seen_at, expires_at, "
      "verified_at, address, user_agent, factors) VALUES (:digest, :id, :person, :created, :seen, "
      ":expires, :verified, :address, :agent, :factors)");
  insert.bind_blob(":digest", digest)
      .bind(":id", session.id)
      .bind(":person", session.person)
      .bind(":created", session.created)
      .bind(":seen", session.seen)
      .bind(":expires", session.expires)
      .bind_text(":address", session.address)
      .bind_text(":agent", session.user_agent)
      .bind(":factors", session.factors);
  bind_optional(insert, ":verified", session.verified);
  insert.run();
}

}  // namespace

Result<WebSession> add_session(sql::Transaction& tx, std::string_view token_digest,
                               const WebSession& fresh) {
  if (auto good = check_digest(token_digest); !good)
    return std::unexpected(std::move(good.error()));
  if (fresh.expires <= fresh.created) return fail(Errc::invalid, "a session ends after it begins");
  if (auto held = hold_person(tx, fresh.person); !held)
    return std::unexpected(std::move(held.error()));
  make_room(tx, fresh.person);
  auto session = fresh;
  session.seen = fresh.created;
  session.address = shown_text(fresh.address, kMaxRemote);
  session.user_agent = shown_text(fresh.user_agent, kMaxUserAgent);
  try {
    insert_session(tx, token_digest, session);
  } catch (const sql::UniqueViolation&) {
    return fail(Errc::exists, "that session is here already");
  }
  return session;
}

Result<WebSession> find_session(sql::Transaction& tx, std::string_view token_digest, Timestamp now,
                                Micros idle) {
  auto row =
      tx.prepare("SELECT " SESSION_COLUMNS " FROM web_sessions WHERE token_digest = :digest");
  row.bind_blob(":digest", token_digest);
  if (!row.step()) return fail(Errc::not_found, "no such session");
  auto session = read_session(row);
  if (!session.runs(now, idle)) return fail(Errc::not_found, "no such session");
  return session;
}

void touch_session(sql::Transaction& tx, SessionId id, Timestamp now) {
  tx.prepare("UPDATE web_sessions SET seen_at = :now WHERE id = :id AND seen_at <= :before")
      .bind(":id", id)
      .bind(":now", now)
      .bind(":before", now - kTouchEvery)
      .run();
}

Result<void> set_session_verified(sql::Transaction& tx, SessionId id, Factor factor,
                                  Timestamp now) {
  tx.prepare(
        "UPDATE web_sessions SET verified_at = :now, factors = factors | :factor WHERE id = :id")
      .bind(":id", id)
      .bind(":now", now)
      .bind(":factor", bits(factor))
      .run();
  if (tx.changes() == 0) return fail(Errc::not_found, "no such session");
  return {};
}

std::vector<WebSession> list_sessions(sql::Transaction& tx, PersonId person, Timestamp now,
                                      const SessionPage& page) {
  auto rows = tx.prepare("SELECT " SESSION_COLUMNS
                         " FROM web_sessions WHERE person_id = :person AND id > :after "
                         "AND expires_at > :now AND seen_at > :idle ORDER BY id LIMIT :limit");
  rows.bind(":person", person)
      .bind(":after", page.after)
      .bind(":now", now)
      .bind(":idle", now - page.idle)
      .bind(":limit", as_integer(page.limit));
  std::vector<WebSession> sessions;
  while (rows.step()) sessions.push_back(read_session(rows));
  return sessions;
}

Result<void> revoke_session(sql::Transaction& tx, PersonId person, SessionId id) {
  tx.prepare("DELETE FROM web_sessions WHERE id = :id AND person_id = :person")
      .bind(":id", id)
      .bind(":person", person)
      .run();
  if (tx.changes() == 0) return fail(Errc::not_found, "no such session");
  return {};
}

std::size_t revoke_sessions(sql::Transaction& tx, PersonId person) {
  tx.prepare("DELETE FROM web_sessions WHERE person_id = :person").bind(":person", person).run();
  return changed(tx);
}

std::size_t revoke_other_sessions(sql::Transaction& tx, PersonId person, SessionId kept) {
  tx.prepare("DELETE FROM web_sessions WHERE person_id = :person AND id <> :kept")
      .bind(":person", person)
      .bind(":kept", kept)
      .run();
  return changed(tx);
}

std::size_t sweep_sessions(sql::Transaction& tx, Timestamp now, std::size_t limit) {
  tx.prepare(
        "DELETE FROM web_sessions WHERE token_digest IN (SELECT token_digest FROM web_sessions "
        "WHERE expires_at <= :now ORDER BY expires_at LIMIT :limit)")
      .bind(":now", now)
      .bind(":limit", as_integer(limit))
      .run();
  return changed(tx);
}

#undef SESSION_COLUMNS

}  // namespace postern::accounts
