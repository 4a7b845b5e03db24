#include "accounts/people/passkey.hpp"

#include <fmt/format.h>

#include "accounts/names.hpp"
#include "accounts/people/person.hpp"
#include "accounts/people/stored.hpp"

namespace postern::accounts {

namespace {

#define PASSKEY_COLUMNS                                                                   \
  "credential_id, person_id, public_key, algorithm, counter, label, transports, backup, " \
  "created_at, last_used_at"

Passkey read_passkey(const sql::Statement& row) {
  Passkey passkey;
  passkey.credential_id = row.blob(0);
  passkey.person = row.id<PersonId>(1);
  passkey.public_key = row.blob(2);
  passkey.algorithm = static_cast<std::int32_t>(row.integer(3));
  passkey.counter = static_cast<std::uint32_t>(row.integer(4));
  passkey.label = row.text(5);
  passkey.transports = row.text(6);
  passkey.backup = static_cast<Backup>(row.integer(7));
  passkey.created = row.time(8);
  passkey.last_used = optional_time(row, 9);
  return passkey;
}

Result<void> check_sizes(const Passkey& fresh) {
  if (fresh.credential_id.empty() || fresh.credential_id.size() > kMaxCredentialId) {
    return fail(Errc::invalid,
                fmt::format("a credential's id is 1 to {} octets", kMaxCredentialId));
  }
  if (fresh.public_key.empty() || fresh.public_key.size() > kMaxPasskeyPublic) {
    return fail(Errc::invalid, fmt::format("a public key is 1 to {} octets", kMaxPasskeyPublic));
  }
  return check_text("a list of transports", fresh.transports, kMaxTransports);
}

Result<void> make_room(sql::Transaction& tx, PersonId person) {
  if (auto held = hold_person(tx, person); !held) return held;
  auto count = tx.prepare("SELECT COUNT(1) FROM passkeys WHERE person_id = :person");
  count.bind(":person", person);
  if (count.step() && count.integer(0) >= as_integer(kMaxPasskeys)) {
    return fail(Errc::too_large,
                fmt::format("a person has at most {} passkeys: remove one first", kMaxPasskeys));
  }
  return {};
}

void insert_passkey(sql::Transaction& tx, const Passkey& passkey) {
  tx.prepare(
        "INSERT INTO passkeys (credential_id, person_id, public_key, algorithm, counter, label, "
        "transports, backup, created_at) VALUES (:id, :person, :key, :algorithm, :counter, "
        ":label, :transports, :backup, :created)")
      .bind_blob(":id", passkey.credential_id)
      .bind(":person", passkey.person)
      .bind_blob(":key", passkey.public_key)
      .bind(":algorithm", passkey.algorithm)
      .bind(":counter", passkey.counter)
      .bind_text(":label", passkey.label)
      .bind_text(":transports", passkey.transports)
      .bind(":backup", static_cast<int>(passkey.backup))
      .bind(":created", passkey.created)
      .run();
}

Result<void> demand_change(const sql::Transaction& tx) {
  if (tx.changes() == 0) return fail(Errc::not_found, "no such passkey");
  return {};
}

}  // namespace

Result<Passkey> add_passkey(sql::Transaction& tx, const Passkey& fresh) {
  auto label = parse_label(fresh.label);
  if (!label) return std::unexpected(std::move(label.error()));
  if (auto good = check_sizes(fresh); !good) return std::unexpected(std::move(good.error()));
  if (auto room = make_room(tx, fresh.person); !room)
    return std::unexpected(std::move(room.error()));
  auto passkey = fresh;
  passkey.label = std::move(*label);
  passkey.last_used.reset();
  try {
    insert_passkey(tx, passkey);
  } catch (const sql::UniqueViolation&) {
    return fail(Errc::exists, "that passkey is registered already");
  }
  return passkey;
}

Result<Passkey> find_passkey(sql::Transaction& tx, std::string_view credential_id) {
  auto row = tx.prepare("SELECT " PASSKEY_COLUMNS " FROM passkeys WHERE credential_id = :id");
  row.bind_blob(":id", credential_id);
  if (!row.step()) return fail(Errc::not_found, "no such passkey");
  return read_passkey(row);
}

std::vector<Passkey> list_passkeys(sql::Transaction& tx, PersonId person) {
  auto rows = tx.prepare("SELECT " PASSKEY_COLUMNS
                         " FROM passkeys WHERE person_id = :person "
                         "ORDER BY created_at, credential_id");
  rows.bind(":person", person);
  std::vector<Passkey> passkeys;
  while (rows.step()) passkeys.push_back(read_passkey(rows));
  return passkeys;
}

Result<void> set_passkey_label(sql::Transaction& tx, PersonId person,
                               std::string_view credential_id, std::string_view label) {
  const auto parsed = parse_label(label);
  if (!parsed) return std::unexpected(parsed.error());
  tx.prepare("UPDATE passkeys SET label = :label WHERE credential_id = :id AND person_id = :person")
      .bind_text(":label", *parsed)
      .bind_blob(":id", credential_id)
      .bind(":person", person)
      .run();
  return demand_change(tx);
}

Result<void> remove_passkey(sql::Transaction& tx, PersonId person, std::string_view credential_id) {
  tx.prepare("DELETE FROM passkeys WHERE credential_id = :id AND person_id = :person")
      .bind_blob(":id", credential_id)
      .bind(":person", person)
      .run();
  return demand_change(tx);
}

Result<void> note_passkey_use(sql::Transaction& tx, std::string_view credential_id,
                              const PasskeyUse& use) {
  tx.prepare(
        "UPDATE passkeys SET counter = :counter, backup = :backup, last_used_at = :now "
        "WHERE credential_id = :id AND (counter < :counter OR (counter = 0 AND :counter = 0))")
      .bind_blob(":id", credential_id)
      .bind(":counter", use.counter)
      .bind(":backup", static_cast<int>(use.backup))
      .bind(":now", use.now)
      .run();
  if (tx.changes() > 0) return {};
  if (const auto found = find_passkey(tx, credential_id); !found)
    return std::unexpected(found.error());
  return fail(Errc::denied, "the passkey's counter went back: it may have been copied");
}

#undef PASSKEY_COLUMNS

}  // namespace postern::accounts
