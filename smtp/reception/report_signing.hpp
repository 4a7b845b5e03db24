// Reports come from postmaster@ the server's host name: signed with the keys of the nearest hosted
// domain above it, whichever tenant's that is.
#pragma once

#include "smtp/delivery/report_signer.hpp"
#include "smtp/reception/outbound_signer.hpp"

namespace postern::smtp::reception {

class ReportSigning final : public delivery::ReportSigner {
 public:
  ReportSigning(accounts::Directory& directory, Clock& clock, std::string hostname)
      : signer_(directory, clock), hostname_(std::move(hostname)) {}
  Task<std::string> signatures(std::shared_ptr<const std::string> report) override;

 private:
  OutboundSigner signer_;
  std::string hostname_;
};

}  // namespace postern::smtp::reception
