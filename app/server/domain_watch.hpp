// Looks at the DNS records of all hosted domains again and again, and tells when they drift away
// from what they should be: audit trail, log, a mail to the tenant's owners, metrics. What drift is
// and when it is told: accounts/watched_record.hpp.
//
// Each domain once per WatchTiming::check_every, sooner after a bad look; a few at a time, and no
// more in one pass than keeps ahead of the schedule, so that neither a restart nor a thousand new
// domains are a burst. A mail is noted as told once it is on disk: a crash between the two repeats
// it. An exception at one domain is logged and puts that domain off; one of a whole pass, that
// pass. Owner: Server. Runs on the first io thread; stop() before the runtime stops.
//
// Deliberately missing: any reaction beyond telling. Mail goes on.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "accounts/audit/chain.hpp"
#include "accounts/mailer.hpp"
#include "accounts/registry.hpp"
#include "accounts/watched_record.hpp"
#include "core/dns/dns.hpp"
#include "core/task.hpp"
#include "core/time.hpp"

namespace postern::server {

/// What the watch works on; all of it outlives the runtime's threads.
struct Watching {
  accounts::Registry* registry = nullptr;
  const accounts::audit::Chain* audit = nullptr;
  dns::Resolver* resolver = nullptr;  ///< of the thread that the watch runs on
  accounts::Mailer* mailer = nullptr;
  const Clock* clock = nullptr;
  std::string hostname;  ///< this server's, where mail for the domains goes
  accounts::WatchTiming timing;
};

/// Between two passes: a tenth of recheck_after, from a second to a minute.
Micros watch_pause(const accounts::WatchTiming& timing);
/// Domains looked at in one pass: twice what the schedule needs, and some.
std::size_t watch_limit(std::int64_t domains, const accounts::WatchTiming& timing);

/// One pass over the domains that are due; how many they were.
Task<std::size_t> watch_domains(Watching watching);

class DomainWatch {
 public:
  DomainWatch(asio::io_context& context, Watching watching);
  void start();
  void stop();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace postern::server
