#include "accounts/signing_keys.hpp"

#include <fmt/format.h>

#include "accounts/domains.hpp"
#include "accounts/names.hpp"
#include "core/ascii.hpp"

namespace postern::accounts {

namespace {

constexpr int kMaxKeysPerDomain = 32;
constexpr std::size_t kMaxSelector = 63;

std::string wrap_context(TenantId tenant, std::string_view domain, std::string_view selector) {
  return fmt::format("postern signing key {} {} {}", tenant.text(), domain, selector);
}

/// One or more labels (RFC 6376 §3.1), each of letters, digits and inner hyphens.
Result<void> check_selector(std::string_view selector) {
  bool good = !selector.empty() && selector.size() <= kMaxSelector;
  char before = '.';
  for (const char c : selector) {
    const bool edge = before == '.' || before == '-';
    good = good && (ascii::is_digit(c) || (c >= 'a' && c <= 'z') || (c == '-' && before != '.') ||
                    (c == '.' && !edge));
    before = c;
  }
  if (!good || before == '.' || before == '-') {
    return fail(Errc::invalid, "a selector is 1 to 63 lower-case letters, digits, '-' and '.'");
  }
  return {};
}

SigningKey read_key(const sql::Statement& row) {
  SigningKey key;
  key.id = row.id<SigningKeyId>(0);
  key.domain = row.text(1);
  key.selector = row.text(2);
  key.algorithm = static_cast<SigningAlgorithm>(row.integer(3));
  key.wrapped_private_key = row.blob(4);
  key.public_record = row.text(5);
  key.status = static_cast<Status>(row.integer(6));
  key.created = row.time(7);
  return key;
}

}  // namespace

std::string_view to_string(SigningAlgorithm algorithm) {
  return algorithm == SigningAlgorithm::rsa_sha256 ? "rsa-sha256" : "ed25519-sha256";
}

Result<std::string> wrap_private_key(storage::MasterKey& master, TenantId tenant,
                                     std::string_view domain, std::string_view selector,
                                     std::string_view pem) {
  return master.wrap(wrap_context(tenant, domain, selector), pem);
}

Result<std::string> unwrap_private_key(storage::MasterKey& master, TenantId tenant,
                                       const SigningKey& key) {
  return master.unwrap(wrap_context(tenant, key.domain, key.selector), key.wrapped_private_key);
}

Result<void> add_signing_key(sql::TenantScope& scope, const SigningKey& key) {
  if (auto good = check_selector(key.selector); !good) return good;
  if (auto held = hold_domain(scope, key.domain); !held) return held;
  if (list_signing_keys(scope, key.domain).size() >= kMaxKeysPerDomain) {
    return fail(Errc::too_large, fmt::format("a domain has at most {} keys", kMaxKeysPerDomain));
  }
  try {
    scope
        .prepare(
            "INSERT INTO signing_keys (tenant_id, id, domain, selector, algorithm, "
            "wrapped_private_key, "
            "public_record, status, created_at) VALUES (:tenant, :id, :domain, :selector, "
            ":algorithm, "
            ":key, :record, :status, :created)")
        .bind(":id", key.id)
        .bind_text(":domain", key.domain)
        .bind_text(":selector", key.selector)
        .bind(":algorithm", static_cast<int>(key.algorithm))
        .bind_blob(":key", key.wrapped_private_key)
        .bind_text(":record", key.public_record)
        .bind(":status", static_cast<int>(key.status))
        .bind(":created", key.created)
        .run();
  } catch (const sql::UniqueViolation&) {
    return fail(Errc::exists,
                fmt::format("{} has a key with the selector {} already", key.domain, key.selector));
  }
  return {};
}

std::vector<SigningKey> list_signing_keys(sql::TenantScope& scope, std::string_view domain) {
  auto rows = scope.prepare(
      "SELECT id, domain, selector, algorithm, wrapped_private_key, public_record, "
      "status, created_at FROM signing_keys WHERE tenant_id = :tenant "
      "AND domain = :domain ORDER BY created_at, selector LIMIT :limit");
  rows.bind_text(":domain", domain).bind(":limit", kMaxKeysPerDomain);
  std::vector<SigningKey> keys;
  while (rows.step()) keys.push_back(read_key(rows));
  return keys;
}

Result<void> set_signing_key_status(sql::TenantScope& scope, std::string_view domain,
                                    std::string_view selector, Status status) {
  scope
      .prepare(
          "UPDATE signing_keys SET status = :status WHERE tenant_id = :tenant AND domain = :domain "
          "AND selector = :selector")
      .bind(":status", static_cast<int>(status))
      .bind_text(":domain", domain)
      .bind_text(":selector", selector)
      .run();
  if (scope.changes() == 0)
    return fail(Errc::not_found, fmt::format("{} has no key {}", domain, selector));
  return {};
}

Result<void> remove_signing_key(sql::TenantScope& scope, std::string_view domain,
                                std::string_view selector) {
  scope
      .prepare(
          "DELETE FROM signing_keys WHERE tenant_id = :tenant AND domain = :domain "
          "AND selector = :selector")
      .bind_text(":domain", domain)
      .bind_text(":selector", selector)
      .run();
  if (scope.changes() == 0)
    return fail(Errc::not_found, fmt::format("{} has no key {}", domain, selector));
  return {};
}

}  // namespace postern::accounts
