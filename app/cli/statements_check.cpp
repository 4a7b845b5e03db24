#include "app/cli/statements_check.hpp"

#include <boost/json/array.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>

#include "accounts/audit/closing.hpp"
#include "accounts/audit/setback.hpp"
#include "accounts/audit/witness.hpp"
#include "web/api/timestamp.hpp"

namespace postern::cli {

namespace audit = accounts::audit;
namespace json = boost::json;

namespace {

constexpr std::size_t kMaxPem = 4'096;

Result<audit::PublicKey> read_public_key(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(Errc::not_found, path + " can't be read");
  std::string pem(kMaxPem + 1, '\0');
  in.read(pem.data(), static_cast<std::streamsize>(pem.size()));
  pem.resize(static_cast<std::size_t>(in.gcount()));
  auto key = audit::PublicKey::from_pem(pem);
  if (!key) return fail(key.error().code, path + ": " + key.error().message);
  return key;
}

json::object finding_of(TenantId chain, std::uint64_t number, Timestamp stated,
                        std::string_view problem) {
  return {{"chain", audit::chain_name(chain)},
          {"number", number},
          {"stated_at", web::timestamp_text(stated)},
          {"problem", problem}};
}

/// Takes the statements in order: each against the database, and against the one before.
class Check {
 public:
  Check(sql::Transaction& tx, const audit::Chain& chain, const audit::PublicKey& key)
      : tx_(&tx), chain_(&chain), key_(&key) {}

  void take(const audit::Statement& statement) {
    audit::check_against(*tx_, *chain_, news_of(statement), *key_, against_);
    if (before_) take_setbacks(statement.heads);
    before_ = statement.heads;
    known_.clear();
    for (const auto& end : before_->ends) known_.emplace(end.chain, &end);
  }

  json::object finish(const audit::StatementsReport& report) {
    for (const auto& finding : report.findings) {
      contradictions_.push_back(
          json::object{{"line", finding.line}, {"problem", to_string(finding.problem)}});
    }
    for (const auto& finding : against_.findings) {
      contradictions_.push_back(finding_of(finding.chain, finding.number, finding.stated,
                                           to_string(finding.contradiction)));
    }
    return {{"statements", report.statements},
            {"matched", against_.matched},
            {"cut", against_.cut},
            {"closed", against_.closed},
            {"closed_unsigned", against_.closed_unsigned},
            {"torn", report.torn},
            {"contradictions", std::move(contradictions_)}};
  }

 private:
  /// Without the ends that the statement before told too: most trails stand still most of the time,
  /// and the database is one snapshot.
  audit::Statement news_of(const audit::Statement& statement) const {
    audit::Statement news{{statement.heads.at, {}}, statement.previous, statement.signature};
    for (const auto& end : statement.heads.ends) {
      const auto found = known_.find(end.chain);
      if (found == known_.end() || found->second->number != end.number ||
          found->second->mac != end.mac) {
        news.heads.ends.push_back(end);
      }
    }
    return news;
  }

  void take_setbacks(const audit::Heads& now) {
    for (const auto& finding : audit::compare_heads(*before_, now)) {
      if (contradictions_.size() >= audit::kMaxFindings) return;
      contradictions_.push_back(
          finding_of(finding.chain, finding.number, now.at, to_string(finding.setback)));
    }
  }

  sql::Transaction* tx_;
  const audit::Chain* chain_;
  const audit::PublicKey* key_;
  std::optional<audit::Heads> before_;
  std::map<TenantId, const audit::ChainEnd*> known_;  ///< of before_
  audit::WitnessCheck against_;
  json::array contradictions_;
};

}  // namespace

Result<StatementsFile> StatementsFile::open(const std::string& path,
                                            const std::string& public_key_path) {
  auto key = read_public_key(public_key_path);
  if (!key) return std::unexpected(key.error());
  std::error_code error;
  const auto bytes = std::filesystem::file_size(path, error);
  if (error) return fail(Errc::not_found, path + " can't be read: " + error.message());
  return StatementsFile{path, std::move(*key), bytes};
}

Result<json::object> check_statements(sql::Transaction& tx, const audit::Chain& chain,
                                      const StatementsFile& file) {
  Check check(tx, chain, file.key);
  const auto report = audit::verify_statements(
      file.path, file.key, [&check](const audit::Statement& one) { check.take(one); }, file.bytes);
  if (!report) return std::unexpected(report.error());
  return check.finish(*report);
}

}  // namespace postern::cli
