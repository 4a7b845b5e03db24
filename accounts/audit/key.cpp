#include "accounts/audit/key.hpp"

#include "accounts/audit/head.hpp"
#include "core/crypto.hpp"
#include "core/random.hpp"

namespace postern::accounts::audit {

namespace {

constexpr std::string_view kContext = "audit";

Result<std::string> read_wrapped(sql::Transaction& tx) {
  auto row = tx.prepare("SELECT wrapped FROM audit_keys WHERE id = 1");
  if (row.step()) return std::string(row.blob(0));
  if (!listed_chains(tx).empty())
    return fail(Errc::corrupt, "the audit chains are there, but their key is gone");
  return fail(Errc::not_found, "there is no audit key yet");
}

Result<std::string> unwrap(storage::MasterKey& master, const std::string& wrapped) {
  auto key = master.unwrap(kContext, wrapped);
  if (!key || key->size() == crypto::kKeySize) return key;
  crypto::wipe(*key);
  return fail(Errc::corrupt, "the audit key has the wrong size");
}

}  // namespace

Result<std::string> read_chain_key(storage::Database& control, storage::MasterKey& master) {
  const auto wrapped = control.read_blocking<std::string>(read_wrapped);
  if (!wrapped) return std::unexpected(wrapped.error());
  return unwrap(master, *wrapped);
}

Result<std::string> open_chain_key(storage::Database& control, storage::MasterKey& master,
                                   Timestamp now) {
  auto known = read_chain_key(control, master);
  if (known || known.error().code != Errc::not_found) return known;
  auto fresh = random_bytes(crypto::kKeySize);
  const auto wrapped = master.wrap(kContext, fresh);
  crypto::wipe(fresh);
  if (!wrapped) return std::unexpected(wrapped.error());
  const auto kept = control.write_blocking<std::string>(
      storage::Purpose::outcome, [&](sql::Transaction& tx) -> Result<std::string> {
        // Another process may have been first; its key counts.
        tx.prepare(
              "INSERT INTO audit_keys (id, wrapped, created_at) VALUES (1, :wrapped, :now) "
              "ON CONFLICT (id) DO NOTHING")
            .bind_blob(":wrapped", *wrapped)
            .bind(":now", now)
            .run();
        return read_wrapped(tx);
      });
  if (!kept) return std::unexpected(kept.error());
  return unwrap(master, *kept);
}

}  // namespace postern::accounts::audit
