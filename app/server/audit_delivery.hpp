// One attempt of an audit stream: the next batch of a chain to its receiver, and the cursor behind
// it (accounts/audit/stream/).
//
// https: one POST of JSON lines; an answer of 2xx takes the batch. Syslog over TLS (RFC 5425): the
// batch, our close_notify, and the receiver's answer to that, which RFC 5425 §4.4 demands: its
// transport has read everything. That isn't an acknowledgement of the messages: what a receiver
// read and lost in a crash of its own is not sent again, for syslog has no word for it.
//
// Everything a receiver says is untrusted; of its answer only the status is looked at, and the body
// isn't even read: a receiver that says 2xx and then more than anybody wants has taken the batch.
// Deliberately missing: a certificate of our own for receivers that ask for one.
#pragma once

#include <cstdint>
#include <string>

#include "accounts/audit/chain.hpp"
#include "accounts/audit/stream/stream.hpp"
#include "accounts/registry.hpp"
#include "core/outbound/client.hpp"
#include "core/task.hpp"
#include "core/time.hpp"
#include "storage/keystore.hpp"

namespace postern::server {

/// References to parts that outlive every attempt.
struct StreamWork {
  accounts::Registry& registry;
  const accounts::audit::Chain& chain;
  storage::MasterKey& master;
  const OutboundClient& client;  ///< of the thread that attempts
  const Clock& clock;
  std::string hostname;  ///< in syslog messages
  std::uint64_t bound;   ///< records that may wait
};

enum class Attempt : std::uint8_t {
  idle,      ///< nothing waits, or not yet, or the stream was changed meanwhile
  moved,     ///< a batch was taken; there may be more
  failed,    ///< not taken: it waits for its next turn
  not_kept,  ///< the database didn't take what came of it: next time would be the same again
};

/// Skips first what has to be skipped. Never throws for what a receiver does.
Task<Attempt> attempt_stream(std::shared_ptr<const StreamWork> work, TenantId chain);

/// 5 s after the first failure, twice as long after each more, 5 min at most; spread by a fifth.
Micros stream_pause(std::int64_t failures);

}  // namespace postern::server
