#include "smtp/reception/report_signing.hpp"

#include "core/log.hpp"
#include "dkim/canonical.hpp"
#include "dkim/fields.hpp"

namespace postern::smtp::reception {

Task<std::string> ReportSigning::signatures(std::shared_ptr<const std::string> report) {
  const auto parts = dkim::split_message(*report);
  for (std::string name = hostname_; name.find('.') != std::string::npos;
       name = name.substr(name.find('.') + 1)) {
    auto domain = co_await directory_->domain(name);
    if (!domain) {
      log::warn("report_not_signed", {{"error", domain.error().message}});
      co_return std::string();
    }
    if (!*domain) continue;
    auto fields = co_await signer_.sign((*domain)->tenant, name, std::string(parts.header),
                                        dkim::body_hash(parts.body));
    if (fields) co_return std::move(*fields);
    log::warn("report_not_signed", {{"error", fields.error().message}});
    co_return std::string();
  }
  co_return std::string();
}

}  // namespace postern::smtp::reception
