#include "accounts/people/person.hpp"

#include <fmt/format.h>

#include "accounts/names.hpp"
#include "accounts/people/stored.hpp"

namespace postern::accounts {

namespace {

#define PERSON_COLUMNS                                                                  \
  "id, email, name, password_hash, status, platform_role, break_glass, totp_secret, "   \
  "totp_last_step, recovery_salt, failed_sign_ins, locked_until, password_changed_at, " \
  "created_at, "                                                                        \
  "last_sign_in_at"

Person read_person(const sql::Statement& row) {
  Person person;
  person.id = row.id<PersonId>(0);
  person.email = row.text(1);
  person.name = row.text(2);
  if (!row.is_null(3)) person.password_hash = row.text(3);
  person.status = static_cast<PersonStatus>(row.integer(4));
  person.platform_role = static_cast<PlatformRole>(row.integer(5));
  person.break_glass = static_cast<BreakGlass>(row.integer(6));
  if (!row.is_null(7)) person.totp_secret = row.blob(7);
  person.totp_last_step = row.integer(8);
  if (!row.is_null(9)) person.recovery_salt = row.blob(9);
  person.failed_sign_ins = static_cast<std::uint32_t>(row.integer(10));
  person.locked_until = optional_time(row, 11);
  person.password_changed = optional_time(row, 12);
  person.created = row.time(13);
  person.last_sign_in = optional_time(row, 14);
  return person;
}

std::vector<Person> read_all(sql::Statement& rows) {
  std::vector<Person> people;
  while (rows.step()) people.push_back(read_person(rows));
  return people;
}

Result<void> demand_change(const sql::Transaction& tx) {
  if (tx.changes() == 0) return fail(Errc::not_found, "no such person");
  return {};
}

Result<std::string> parse_name(std::string_view name) {
  if (name.empty()) return std::string();
  return parse_label(name);
}

/// Not a PHC string's grammar: the maker of hashes is in this program.
Result<void> check_hash(std::string_view hash) {
  if (hash.empty()) return fail(Errc::invalid, "a password's hash is not empty");
  return check_text("a password's hash", hash, kMaxPasswordHash);
}

Result<Person> checked(const NewPerson& fresh) {
  const auto email = parse_address(fresh.email);
  if (!email) return std::unexpected(email.error());
  auto name = parse_name(fresh.name);
  if (!name) return std::unexpected(std::move(name.error()));
  Person person;
  if (fresh.password_hash) {
    if (auto good = check_hash(*fresh.password_hash); !good)
      return std::unexpected(std::move(good.error()));
    person.password_hash = fresh.password_hash;
    person.password_changed = fresh.created;
  }
  person.id = fresh.id;
  person.email = email->text();
  person.name = std::move(*name);
  person.status = fresh.status;
  person.created = fresh.created;
  return person;
}

void insert_person(sql::Transaction& tx, const Person& person) {
  auto insert = tx.prepare(
      "INSERT INTO people (id, email, name, password_hash, status, platform_role, break_glass, "
      "totp_last_step, failed_sign_ins, password_changed_at, revision, created_at) "
      "VALUES (:id, :email, :name, :hash, :status, 0, 0, 0, 0, :changed, 0, :created)");
  insert.bind(":id", person.id)
      .bind_text(":email", person.email)
      .bind_text(":name", person.name)
      .bind(":status", static_cast<int>(person.status))
      .bind(":created", person.created);
  bind_optional(insert, ":changed", person.password_changed);
  if (person.password_hash) {
    insert.bind_text(":hash", *person.password_hash);
  } else {
    insert.bind_null(":hash");
  }
  insert.run();
}

}  // namespace

Result<Person> add_person(sql::Transaction& tx, const NewPerson& fresh) {
  auto person = checked(fresh);
  if (!person) return person;
  try {
    insert_person(tx, *person);
  } catch (const sql::UniqueViolation&) {
    return fail(Errc::exists, fmt::format("{} is here already", person->email));
  }
  return person;
}

Result<Person> find_person(sql::Transaction& tx, PersonId id) {
  auto row = tx.prepare("SELECT " PERSON_COLUMNS " FROM people WHERE id = :id");
  row.bind(":id", id);
  if (!row.step()) return fail(Errc::not_found, "no such person");
  return read_person(row);
}

Result<Person> find_person(sql::Transaction& tx, std::string_view email) {
  const auto address = parse_address(email);
  if (!address) return std::unexpected(address.error());
  auto row = tx.prepare("SELECT " PERSON_COLUMNS " FROM people WHERE email = :email");
  row.bind_text(":email", address->text());
  if (!row.step()) return fail(Errc::not_found, "no such person");
  return read_person(row);
}

std::vector<Person> list_people(sql::Transaction& tx, std::string_view after, std::size_t limit) {
  auto rows = tx.prepare("SELECT " PERSON_COLUMNS
                         " FROM people WHERE email > :after ORDER BY email LIMIT :limit");
  rows.bind_text(":after", after).bind(":limit", as_integer(limit));
  return read_all(rows);
}

std::vector<Person> list_operators(sql::Transaction& tx, std::string_view after,
                                   std::size_t limit) {
  auto rows = tx.prepare("SELECT " PERSON_COLUMNS
                         " FROM people WHERE platform_role = 1 AND email > :after "
                         "ORDER BY email LIMIT :limit");
  rows.bind_text(":after", after).bind(":limit", as_integer(limit));
  return read_all(rows);
}

Result<void> set_person_name(sql::Transaction& tx, PersonId id, std::string_view name) {
  const auto parsed = parse_name(name);
  if (!parsed) return std::unexpected(parsed.error());
  tx.prepare("UPDATE people SET name = :name WHERE id = :id")
      .bind(":id", id)
      .bind_text(":name", *parsed)
      .run();
  return demand_change(tx);
}

Result<void> set_person_status(sql::Transaction& tx, PersonId id, PersonStatus status) {
  tx.prepare("UPDATE people SET status = :status WHERE id = :id")
      .bind(":id", id)
      .bind(":status", static_cast<int>(status))
      .run();
  return demand_change(tx);
}

Result<void> set_platform_role(sql::Transaction& tx, PersonId id, PlatformRole role,
                               BreakGlass break_glass) {
  tx.prepare("UPDATE people SET platform_role = :role, break_glass = :glass WHERE id = :id")
      .bind(":id", id)
      .bind(":role", static_cast<int>(role))
      .bind(":glass", static_cast<int>(break_glass))
      .run();
  return demand_change(tx);
}

Result<void> set_password_hash(sql::Transaction& tx, PersonId id, std::string_view hash,
                               Timestamp now) {
  if (auto good = check_hash(hash); !good) return good;
  tx.prepare(
        "UPDATE people SET password_hash = :hash, password_changed_at = :now, "
        "failed_sign_ins = 0, locked_until = NULL WHERE id = :id")
      .bind(":id", id)
      .bind_text(":hash", hash)
      .bind(":now", now)
      .run();
  return demand_change(tx);
}

Result<void> replace_password_hash(sql::Transaction& tx, PersonId id, std::string_view old_hash,
                                   std::string_view new_hash) {
  if (auto good = check_hash(new_hash); !good) return good;
  tx.prepare("UPDATE people SET password_hash = :new WHERE id = :id AND password_hash = :old")
      .bind_text(":new", new_hash)
      .bind(":id", id)
      .bind_text(":old", old_hash)
      .run();
  if (tx.changes() == 0) return fail(Errc::not_found, "the password was changed meanwhile");
  return {};
}

Result<std::optional<Timestamp>> note_sign_in_failure(sql::Transaction& tx, PersonId id,
                                                      Timestamp now, LockOut rule) {
  tx.prepare(
        "UPDATE people SET failed_sign_ins = failed_sign_ins + 1 WHERE id = :id "
        "AND (locked_until IS NULL OR locked_until <= :now)")
      .bind(":id", id)
      .bind(":now", now)
      .run();
  tx.prepare(
        "UPDATE people SET failed_sign_ins = 0, locked_until = :until WHERE id = :id "
        "AND failed_sign_ins >= :most")
      .bind(":id", id)
      .bind(":until", now + rule.time)
      .bind(":most", rule.failures)
      .run();
  const auto person = find_person(tx, id);
  if (!person) return std::unexpected(person.error());
  return person->is_locked(now) ? person->locked_until : std::nullopt;
}

Result<void> note_sign_in(sql::Transaction& tx, PersonId id, Timestamp now) {
  tx.prepare(
        "UPDATE people SET failed_sign_ins = 0, locked_until = NULL, last_sign_in_at = :now "
        "WHERE id = :id")
      .bind(":id", id)
      .bind(":now", now)
      .run();
  return demand_change(tx);
}

Result<void> hold_person(sql::Transaction& tx, PersonId id) {
  tx.prepare("UPDATE people SET revision = revision + 1 WHERE id = :id").bind(":id", id).run();
  return demand_change(tx);
}

#undef PERSON_COLUMNS

}  // namespace postern::accounts
