// How accounts' own emails (links to sign in, to reset a password, to join a tenant; news of a
// domain's DNS records) leave, seen from below: implemented over the queue
// (app/server/queue_mailer.hpp), and by tests.
#pragma once

#include <string>

#include "core/lane.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "core/time.hpp"

namespace postern::accounts {

struct Mail {
  std::string to;       ///< an address, canonical
  std::string subject;  ///< UTF-8
  std::string text;     ///< UTF-8, plain text; may hold a link that must not be logged
  Timestamp deadline;   ///< worthless after this: dropped, not delivered late
  Lane lane = Lane::auth;
};

class Mailer {
 public:
  virtual ~Mailer() = default;
  /// Once this has answered, the mail is on disk, in its lane.
  virtual Task<Result<void>> send(Mail mail) = 0;
};

}  // namespace postern::accounts
