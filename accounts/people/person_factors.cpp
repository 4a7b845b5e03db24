// A person's second factors that are rows of their own, and the end of a person.
#include <fmt/format.h>

#include "accounts/people/connection.hpp"
#include "accounts/people/member.hpp"
#include "accounts/people/person.hpp"
#include "accounts/people/stored.hpp"

namespace postern::accounts {

namespace {

constexpr std::size_t kPage = 100;

Result<void> demand_change(const sql::Transaction& tx) {
  if (tx.changes() == 0) return fail(Errc::not_found, "no such person");
  return {};
}

Result<void> check_codes(std::string_view salt, const std::vector<std::string>& digests) {
  if (digests.size() > kMaxRecoveryCodes) {
    return fail(Errc::too_large,
                fmt::format("a person has at most {} recovery codes", kMaxRecoveryCodes));
  }
  if (salt.size() > kMaxRecoverySalt || (salt.empty() && !digests.empty())) {
    return fail(Errc::invalid, fmt::format("a salt is 1 to {} octets", kMaxRecoverySalt));
  }
  for (const auto& digest : digests) {
    if (auto good = check_digest(digest); !good) return good;
  }
  return {};
}

void delete_recovery_codes(sql::Transaction& tx, PersonId id) {
  tx.prepare("DELETE FROM recovery_codes WHERE person_id = :id").bind(":id", id).run();
}

Result<void> leave_all_tenants(sql::Transaction& tx, PersonId id) {
  while (true) {
    // From the start each time: what was seen is gone.
    const auto tenants = list_memberships(tx, id, {}, kPage);
    if (tenants.empty()) return {};
    for (const auto tenant : tenants) {
      sql::TenantScope scope(tx, tenant);
      const auto member = find_member(scope, id);
      if (member && member->owner) {
        if (auto released = give_up_ownership(scope, id, to_string(BuiltInRole::viewer)); !released)
          return released;
      }
      if (auto removed = remove_member(scope, id); !removed) return removed;
    }
  }
}

}  // namespace

Result<void> set_totp(sql::Transaction& tx, PersonId id, std::string_view wrapped_secret,
                      std::int64_t step) {
  if (wrapped_secret.empty() || wrapped_secret.size() > kMaxWrappedSecret) {
    return fail(Errc::invalid,
                fmt::format("a wrapped secret is 1 to {} octets", kMaxWrappedSecret));
  }
  tx.prepare("UPDATE people SET totp_secret = :secret, totp_last_step = :step WHERE id = :id")
      .bind(":id", id)
      .bind_blob(":secret", wrapped_secret)
      .bind(":step", step)
      .run();
  return demand_change(tx);
}

Result<void> clear_totp(sql::Transaction& tx, PersonId id) {
  tx.prepare("UPDATE people SET totp_secret = NULL WHERE id = :id").bind(":id", id).run();
  return demand_change(tx);
}

Result<void> accept_totp_step(sql::Transaction& tx, PersonId id, std::int64_t step) {
  tx.prepare(
        "UPDATE people SET totp_last_step = :step WHERE id = :id AND totp_secret IS NOT NULL "
        "AND totp_last_step < :step")
      .bind(":id", id)
      .bind(":step", step)
      .run();
  if (tx.changes() == 0) return fail(Errc::denied, "that code was used, or none is asked for");
  return {};
}

Result<void> set_recovery_codes(sql::Transaction& tx, PersonId id, std::string_view salt,
                                const std::vector<std::string>& digests) {
  if (auto good = check_codes(salt, digests); !good) return good;
  auto update = tx.prepare("UPDATE people SET recovery_salt = :salt WHERE id = :id");
  update.bind(":id", id);
  if (digests.empty()) {
    update.bind_null(":salt");
  } else {
    update.bind_blob(":salt", salt);
  }
  update.run();
  if (auto found = demand_change(tx); !found) return found;
  delete_recovery_codes(tx, id);
  try {
    for (const auto& digest : digests) {
      tx.prepare("INSERT INTO recovery_codes (person_id, digest) VALUES (:id, :digest)")
          .bind(":id", id)
          .bind_blob(":digest", digest)
          .run();
    }
  } catch (const sql::UniqueViolation&) {
    return fail(Errc::invalid, "two recovery codes are the same");
  }
  return {};
}

Result<void> use_recovery_code(sql::Transaction& tx, PersonId id, std::string_view digest) {
  tx.prepare("DELETE FROM recovery_codes WHERE person_id = :id AND digest = :digest")
      .bind(":id", id)
      .bind_blob(":digest", digest)
      .run();
  if (tx.changes() == 0) return fail(Errc::denied, "no such recovery code, or it was used");
  return {};
}

std::size_t count_recovery_codes(sql::Transaction& tx, PersonId id) {
  auto count = tx.prepare("SELECT COUNT(1) FROM recovery_codes WHERE person_id = :id");
  count.bind(":id", id);
  return count.step() ? static_cast<std::size_t>(count.integer(0)) : 0;
}

Result<void> remove_person(sql::Transaction& tx, PersonId id) {
  if (auto held = hold_person(tx, id); !held) return held;
  if (auto left = leave_all_tenants(tx, id); !left) return left;
  delete_recovery_codes(tx, id);
  const auto person = find_person(tx, id);
  if (!person) return std::unexpected(person.error());
  remove_connections_of(tx, person->email);
  for (const std::string_view text :
       {std::string_view("DELETE FROM passkeys WHERE person_id = :id"),
        std::string_view("DELETE FROM web_sessions WHERE person_id = :id"),
        std::string_view("DELETE FROM one_time_tokens WHERE person_id = :id"),
        std::string_view("DELETE FROM people WHERE id = :id")}) {
    tx.prepare(text).bind(":id", id).run();
  }
  // Invitations to the bare address stay: whoever holds it may begin anew.
  tx.prepare("DELETE FROM one_time_tokens WHERE email = :email AND tenant_id IS NULL")
      .bind_text(":email", person->email)
      .run();
  return {};
}

}  // namespace postern::accounts
