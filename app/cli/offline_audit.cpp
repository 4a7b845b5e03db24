#include "app/cli/offline_audit.hpp"

#include <boost/json/serialize.hpp>
#include <filesystem>
#include <iostream>

#include "accounts/audit/key.hpp"
#include "accounts/audit/schema.hpp"
#include "accounts/audit/verify.hpp"
#include "accounts/schema.hpp"
#include "app/cli/statements_check.hpp"
#include "core/crypto.hpp"
#include "storage/database.hpp"
#include "storage/keystore.hpp"
#include "storage/schema.hpp"
#include "web/api/audit/audit_json.hpp"

namespace postern::cli {

namespace audit = accounts::audit;

namespace {

/// The file that holds the chains' key: the settings may say where; without any it lies beside the
/// databases.
std::filesystem::path master_key_of(const Context& context,
                                    const std::filesystem::path& directory) {
  const auto settings = context.settings();
  if (settings && settings->data == directory) return settings->storage.master_key;
  return directory / "master.key";
}

/// The chains, and the statements when there are any, in one snapshot.
Result<boost::json::object> check_all(sql::Transaction& tx, const audit::Chain& chain,
                                      const std::optional<StatementsFile>& statements) {
  auto answer = web::api::to_json(audit::verify_all(tx, chain));
  if (!statements) return answer;
  auto witness = check_statements(tx, chain, *statements);
  if (!witness) return std::unexpected(witness.error());
  answer["witness"] = std::move(*witness);
  return answer;
}

Result<boost::json::value> verify(const Context& context, const OfflineAudit& what) {
  const std::filesystem::path directory(what.data);
  const auto path = directory / "control.db";
  if (!std::filesystem::exists(path)) {
    return fail(Errc::not_found,
                path.string() + " doesn't exist: --data names a server's data directory");
  }
  std::optional<StatementsFile> statements;
  if (!what.statements.empty()) {
    auto file = StatementsFile::open(what.statements, what.public_key);
    if (!file) return std::unexpected(file.error());
    statements = std::move(*file);
  }
  auto master = storage::open_master_key_file(master_key_of(context, directory).string());
  if (!master) return std::unexpected(master.error());
  storage::Database::Options options;
  options.path = path.string();
  options.schemas = {accounts::schema(), audit::schema(), storage::meta_schema(),
                     storage::outbox_schema()};
  auto database = storage::Database::open_read_only(std::move(options));
  if (!database) return std::unexpected(database.error());
  auto key = audit::read_chain_key(**database, **master);
  if (!key) return std::unexpected(key.error());
  const audit::Chain chain(*key);
  crypto::wipe(*key);
  auto verified = (*database)->read_blocking<boost::json::object>(
      [&chain, &statements](sql::Transaction& tx) { return check_all(tx, chain, statements); });
  if (!verified) return std::unexpected(verified.error());
  return boost::json::value(std::move(*verified));
}

bool is_sound(const boost::json::value& answer) {
  const auto* witness = answer.as_object().if_contains("witness");
  return answer.at("sound").as_bool() &&
         (witness == nullptr || witness->at("contradictions").as_array().empty());
}

}  // namespace

void verify_audit_offline(Context& context, const OfflineAudit& what,
                          const std::function<void(const boost::json::value&)>& print) {
  const auto answer = verify(context, what);
  if (!answer) {
    context.complain(answer.error());
    return;
  }
  if (context.json) {
    std::cout << boost::json::serialize(*answer) << '\n';
  } else {
    print(*answer);
  }
  if (!is_sound(*answer)) context.exit_code = 1;
}

}  // namespace postern::cli
