// Signs the reports that this server sends, so that DMARC of its own domain doesn't file them as
// spoofs; implemented where keys are known.
#pragma once

#include <memory>
#include <string>

#include "core/task.hpp"

namespace postern::smtp::delivery {

class ReportSigner {
 public:
  virtual ~ReportSigner() = default;
  /// DKIM-Signature fields to put in front, each with its CRLF; empty when there is no key. Trouble
  /// is logged: an unsigned report is better than none.
  virtual Task<std::string> signatures(std::shared_ptr<const std::string> report) = 0;
};

}  // namespace postern::smtp::delivery
