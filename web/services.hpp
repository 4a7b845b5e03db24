// What the API's handlers work on: references to the parts that app/ wired together. Lives as long
// as the server.
#pragma once

#include <functional>
#include <string>

#include "accounts/audit/chain.hpp"
#include "accounts/authenticator.hpp"
#include "accounts/directory.hpp"
#include "accounts/mailer.hpp"
#include "accounts/password.hpp"
#include "accounts/registry.hpp"
#include "config/settings.hpp"
#include "core/dns/dns.hpp"
#include "core/outbound/client.hpp"
#include "core/rate_limiter.hpp"
#include "core/time.hpp"
#include "core/worker_pool.hpp"
#include "dkim/sign/key.hpp"
#include "smtp/delivery/service.hpp"
#include "storage/keystore.hpp"
#include "storage/store.hpp"

namespace postern::web {

class AccessControl;
class Ceremonies;

struct Services {
  const config::Settings* settings = nullptr;
  Clock* clock = nullptr;
  storage::Store* store = nullptr;
  storage::Keystore* keystore = nullptr;
  accounts::Registry* registry = nullptr;
  accounts::Directory* directory = nullptr;
  accounts::PasswordPool* passwords = nullptr;
  accounts::Authenticator* authenticator = nullptr;
  smtp::delivery::DeliveryService* delivery = nullptr;
  smtp::queue::EventSink* events = nullptr;
  const accounts::audit::Chain* audit = nullptr;
  AccessControl* access = nullptr;
  accounts::Mailer* mailer = nullptr;
  RateLimiter* person_mails = nullptr;  ///< by address
  Ceremonies* ceremonies = nullptr;
  std::string codes_key;               ///< of mailed codes; not in the database
  std::string public_url;              ///< where people reach this server, without a final slash
  std::function<Executor()> executor;  ///< of the calling io thread
  WorkerPool* workers = nullptr;       ///< for key generation, backup, files of past months
  /// On a worker.
  std::function<Result<dkim::KeyPair>(dkim::Algorithm)> generate_key = dkim::generate;
  std::function<dns::Resolver*()> resolver;         ///< of the calling io thread
  std::string version;                              ///< of the program
  std::function<bool()> ready;                      ///< all listeners up, not draining
  std::function<const OutboundClient*()> outbound;  ///< of the calling io thread
};

}  // namespace postern::web
