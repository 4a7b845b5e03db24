#include "app/cli/offline_audit.hpp"

#include <boost/json/serialize.hpp>
#include <filesystem>
#include <iostream>

#include "accounts/audit/key.hpp"
#include "accounts/audit/schema.hpp"
#include "accounts/audit/verify.hpp"
#include "accounts/schema.hpp"
#include "core/crypto.hpp"
#include "storage/database.hpp"
#include "storage/keystore.hpp"
#include "storage/schema.hpp"
#include "web/api/audit_json.hpp"

namespace postern::cli {

namespace audit = accounts::audit;

namespace {

Result<boost::json::value> verify(const Context& context, const std::string& data) {
  const std::filesystem::path directory(data);
  const auto path = directory / "control.db";
  if (!std::filesystem::exists(path)) {
    return fail(Errc::not_found,
                path.string() + " doesn't exist: --data names a server's data directory");
  }
  // The settings may say where else the key is; without any it lies beside the files.
  auto key_file = directory / "master.key";
  if (const auto settings = context.settings(); settings && settings->data == directory)
    key_file = settings->storage.master_key;
  auto master = storage::open_master_key_file(key_file.string());
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
  auto verified = (*database)->read_blocking<audit::Verification>(
      [&chain](sql::Transaction& tx) -> Result<audit::Verification> {
        return audit::verify_all(tx, chain);
      });
  if (!verified) return std::unexpected(verified.error());
  return boost::json::value(web::api::to_json(*verified));
}

}  // namespace

void verify_audit_offline(Context& context, const std::string& data,
                          const std::function<void(const boost::json::value&)>& print) {
  const auto answer = verify(context, data);
  if (!answer) {
    context.complain(answer.error());
    return;
  }
  if (context.json) {
    std::cout << boost::json::serialize(*answer) << '\n';
  } else {
    print(*answer);
  }
  if (!answer->at("sound").as_bool()) context.exit_code = 1;
}

}  // namespace postern::cli
