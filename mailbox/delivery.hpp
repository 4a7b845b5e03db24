// Delivery into mailboxes: one body, one or more accounts of a tenant, once per delivery id.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "mailbox/messages.hpp"

namespace postern::mailbox {

struct DeliveryTarget {
  /// Unique for this application: a repeat finds the first one's result. None: never tried again.
  std::optional<DeliveryId> id;
  AccountId account;
  /// Where: a special use (none is INBOX), or a name. A mailbox that doesn't exist means INBOX.
  std::variant<SpecialUse, std::string> mailbox = SpecialUse::none;
  Flags flags;
  QuotaLimit quota;
};

struct Delivery {
  std::vector<DeliveryTarget> targets;
  storage::SealedBody body;
  std::string index;  ///< as stored (index_seal.hpp)
  Timestamp internal_date;
};

enum class DeliveryState : std::uint8_t {
  placed,
  repeated,  ///< this id was applied before: `where` is the first one's place
  over_quota,
};
struct DeliveryOutcome {
  DeliveryState state = DeliveryState::placed;
  Placed where;  ///< for placed and repeated
};

/// What else belongs into a delivery's commit: called in its transaction with its outcomes, and as
/// often as that is tried.
using Alongside = std::function<void(sql::Transaction&, const std::vector<DeliveryOutcome>&)>;

/// One outcome per target, in order. All in one transaction: the body is written once, if any
/// target took it; an account's first mail makes its folders.
std::vector<DeliveryOutcome> deliver(sql::TenantScope& scope, const Delivery& delivery,
                                     Timestamp now);

/// Forgets delivery ids made before a time (nothing is tried again that late). Returns how many.
std::int64_t sweep_applied_deliveries(sql::TenantScope& scope, Timestamp older_than, int limit);

}  // namespace postern::mailbox
