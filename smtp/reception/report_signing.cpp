#include "smtp/reception/report_signing.hpp"

#include "core/log.hpp"
#include "dkim/canonical.hpp"
#include "dkim/fields.hpp"

namespace postern::smtp::reception {

Task<std::string> ReportSigning::signatures(std::shared_ptr<const std::string> report) {
  const auto parts = dkim::split_message(*report);
  auto fields = co_await signer_.sign_for_server(hostname_, std::string(parts.header),
                                                 dkim::body_hash(parts.body));
  if (fields) co_return std::move(*fields);
  log::warn("report_not_signed", {{"error", fields.error().message}});
  co_return std::string();
}

}  // namespace postern::smtp::reception
