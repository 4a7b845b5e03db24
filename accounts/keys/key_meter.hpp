// How many requests each API key has made this month, against its monthly cap.
//
// Counted in memory, exactly under concurrency; added to the database in batches (key_usage.hpp),
// so a process that dies forgets the last of them. Owner: whoever admits keys. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "accounts/keys/key_usage.hpp"
#include "accounts/registry.hpp"
#include "core/task.hpp"

namespace postern::accounts {

enum class Use : std::uint8_t { read, write };

class KeyMeter {
 public:
  explicit KeyMeter(Registry& registry) : registry_(&registry) {}

  /// Counts one request. False: the month's cap is reached, and it isn't counted.
  Task<Result<bool>> admit(TenantId tenant, ApiKeyId key, std::optional<std::uint64_t> cap, Use use,
                           Timestamp now);
  /// Adds what was counted since to the database. What fails is added the next time.
  Task<Result<void>> flush();

 private:
  struct Name {
    TenantId tenant;
    ApiKeyId key;
    Month month = 0;
    auto operator<=>(const Name&) const = default;
  };
  struct Count {
    std::uint64_t stored = 0;  ///< in the database, as far as this process knows
    std::uint64_t reads = 0;   ///< not there yet
    std::uint64_t writes = 0;
  };
  struct Batch {
    Name name;
    KeyUsage more;
  };
  Task<Result<void>> load(Name name);
  std::vector<Batch> take();
  void put_back(const std::vector<Batch>& batches);

  Registry* registry_;
  std::mutex mutex_;
  std::map<Name, Count> counts_;
};

}  // namespace postern::accounts
