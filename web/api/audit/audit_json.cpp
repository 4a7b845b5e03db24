#include "web/api/audit/audit_json.hpp"

#include <boost/json/array.hpp>

#include "accounts/audit/closing.hpp"

namespace postern::web::api {

namespace json = boost::json;
namespace audit = accounts::audit;

json::object to_json(const audit::Verification& verification) {
  json::array findings;
  for (const auto& finding : verification.findings) {
    findings.push_back(json::object{{"chain", audit::chain_name(finding.chain)},
                                    {"number", finding.number},
                                    {"last", finding.last},
                                    {"problem", audit::to_string(finding.problem)}});
  }
  return {{"sound", verification.sound()},
          {"chains", verification.chains},
          {"records", verification.records},
          {"problems", verification.problems},
          {"findings", std::move(findings)}};
}

}  // namespace postern::web::api
