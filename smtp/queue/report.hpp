// Delivery status notifications: who gets one, and the message that says it.
//
// Conditions: RFC 3461 §5.2 and §6. A null return path never gets a report; NOTIFY decides; an
// absent NOTIFY means failures and delays. Reports quote the whole message only for failures, when
// RET=FULL asked and it is small; else its header.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "message/dsn.hpp"
#include "smtp/queue/message.hpp"
#include "smtp/queue/outcome.hpp"

namespace postern::smtp::queue {

inline constexpr std::uint64_t kMaxReturnedMessage =
    std::uint64_t{256} * 1024;  ///< above it only the header goes back
inline constexpr std::uint64_t kMaxReturnedHeader = std::uint64_t{64} * 1024;

/// The report that this outcome asks for, if any. `outcome` is what decide() made of `result`.
std::optional<message::DsnAction> report_for(const Envelope& envelope, const Recipient& recipient,
                                             const AttemptResult& result, const Outcome& outcome);

struct ReportedRecipient {
  Recipient recipient;
  Outcome outcome;
  message::DsnAction action = message::DsnAction::failed;
};

/// How much of the original the report needs: bytes from its start (0: none), before it is cut at
/// the header's end.
std::uint64_t original_bytes_needed(const Envelope& envelope,
                                    const std::vector<ReportedRecipient>& reported);

/// The report as a message of its own: null return path, to the return path of `envelope`,
/// NOTIFY=NEVER, in the original's lane but never above transactional. `original`: the bytes asked
/// for above. `transport`: how its recipient is reached. The text still has to be sealed and put in
/// the NewMessage.
struct Report {
  NewMessage message;  ///< without body
  std::string text;
};
Report make_report(const Envelope& envelope, const std::vector<ReportedRecipient>& reported,
                   std::string original, const std::string& hostname, Transport transport,
                   Timestamp now, std::chrono::seconds expiry);

}  // namespace postern::smtp::queue
