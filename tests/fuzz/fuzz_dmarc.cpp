// The DMARC record parser, the From reader and domain names.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "dkim/dmarc/dmarc.hpp"
#include "dkim/dmarc/tree_walk.hpp"
#include "dkim/domain.hpp"

using namespace postern;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)dmarc::parse_record(text);
  if (auto domains = dmarc::author_domains(text)) {
    for (const auto& domain : *domains) {
      if (dkim::normalize_domain(domain) != domain) std::abort();
      if (dmarc::walk_names(domain).size() > dmarc::kMaxWalkQueries) std::abort();
      (void)dkim::registrable_domain(domain);
    }
  }
  return 0;
}
