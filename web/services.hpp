// What the API's handlers work on: references to the parts that app/ wired together. Lives as long
// as the server.
#pragma once

#include <functional>
#include <string>

#include "accounts/authenticator.hpp"
#include "accounts/directory.hpp"
#include "accounts/password.hpp"
#include "accounts/registry.hpp"
#include "config/settings.hpp"
#include "core/dns/dns.hpp"
#include "core/time.hpp"
#include "core/worker_pool.hpp"
#include "smtp/delivery/service.hpp"
#include "storage/keystore.hpp"
#include "storage/store.hpp"

namespace postern::web {

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
  dns::Resolver* resolver = nullptr;  ///< of the thread that serves the management socket
  WorkerPool* workers = nullptr;      ///< for key generation, backup, files of past months
  std::string version;                ///< of the program
  std::function<bool()> ready;        ///< all listeners up, not draining
};

}  // namespace postern::web
