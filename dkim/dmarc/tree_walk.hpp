// The DNS tree walk (RFC 9989 §4.10) and what is read from it.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dkim/dmarc/record.hpp"
#include "dkim/lookups.hpp"

namespace postern::dmarc {

inline constexpr std::size_t kMaxWalkQueries = 8;

struct Found {
  std::string domain;
  Record record;
};

struct Walk {
  std::vector<Found> records;  ///< from the starting name upwards
  bool temporary = false;      ///< a query failed for now: what was found may not be all
};

/// The names a walk from `domain` asks (without "_dmarc."), in order: at most kMaxWalkQueries.
std::vector<std::string> walk_names(const std::string& domain);

/// Walks. `table` keeps answers between the walks of one message.
Task<Walk> walk(dns::Resolver& resolver, std::string domain, std::shared_ptr<dkim::Lookups> table);

/// §4.10.2: psd=n, then psd=y (one label below), then the record with the fewest labels; the
/// starting domain itself when nothing decides.
std::string organizational_domain(const Walk& walk, const std::string& domain);

/// §4.10.1: the record at the author domain, else at its organizational domain, else at the PSD.
const Found* applicable(const Walk& walk, const std::string& domain,
                        const std::string& organizational);

}  // namespace postern::dmarc
