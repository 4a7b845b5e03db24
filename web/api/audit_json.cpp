#include "web/api/audit_json.hpp"

#include <boost/json/array.hpp>

namespace postern::web::api {

namespace json = boost::json;
namespace audit = accounts::audit;

json::object to_json(const audit::Verification& verification) {
  json::array findings;
  for (const auto& finding : verification.findings) {
    const bool platform = finding.chain == TenantId{};
    findings.push_back(json::object{{"chain", platform ? "platform" : finding.chain.text()},
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
