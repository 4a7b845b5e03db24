#include "mailbox/delivery.hpp"

#include <chrono>

#include "mailbox/account_rows.hpp"
#include "mailbox/mailbox_rows.hpp"
#include "mailbox/mailbox_tree.hpp"
#include "mailbox/message_write.hpp"
#include "mailbox/objects.hpp"

namespace postern::mailbox {

namespace {

std::optional<Placed> find_applied(sql::TenantScope& scope, DeliveryId delivery) {
  auto row = scope.prepare(
      "SELECT account_id, mailbox_id, uidvalidity, uid, modseq FROM applied_deliveries "
      "WHERE tenant_id = :tenant AND delivery_id = :delivery");
  row.bind(":delivery", delivery);
  if (!row.step()) return std::nullopt;
  return Placed{
      row.id<AccountId>(0), row.id<MailboxId>(1), static_cast<std::uint32_t>(row.integer(2)),
      static_cast<std::uint32_t>(row.integer(3)), static_cast<std::uint64_t>(row.integer(4))};
}

void remember(sql::TenantScope& scope, DeliveryId delivery, const Placed& where) {
  scope
      .prepare(
          "INSERT INTO applied_deliveries (tenant_id, delivery_id, account_id, mailbox_id, "
          "uidvalidity, uid, "
          "modseq) VALUES (:tenant, :delivery, :account, :mailbox, :uidvalidity, :uid, :modseq)")
      .bind(":delivery", delivery)
      .bind(":account", where.account)
      .bind(":mailbox", where.mailbox)
      .bind(":uidvalidity", where.uidvalidity)
      .bind(":uid", where.uid)
      .bind(":modseq", static_cast<std::int64_t>(where.modseq))
      .run();
}

/// The mailbox asked for, or INBOX.
Result<MailboxInfo> choose_mailbox(sql::TenantScope& scope, const DeliveryTarget& target) {
  const auto* name = std::get_if<std::string>(&target.mailbox);
  const auto* use = std::get_if<SpecialUse>(&target.mailbox);
  auto wanted = name != nullptr ? find_mailbox(scope, target.account, *name)
                                : find_special(scope, target.account, *use);
  if (wanted && wanted->selectable) return wanted;
  return find_special(scope, target.account, SpecialUse::none);
}

class Deliverer {
 public:
  Deliverer(sql::TenantScope& scope, const Delivery& delivery, Timestamp now)
      : scope_(scope), delivery_(delivery), now_(now) {}

  DeliveryOutcome apply(const DeliveryTarget& target) {
    const auto size = static_cast<std::int64_t>(delivery_.body.size);
    auto modseq = next_modseq(scope_, target.account, size, 1);
    if (!modseq) {
      create_account_mailboxes(scope_, target.account, now_);
      modseq = next_modseq(scope_, target.account, size, 1);
    }
    const auto outcome = place(target, modseq.value());
    if (outcome.state != DeliveryState::placed) add_usage(scope_, target.account, -size, -1);
    return outcome;
  }

 private:
  /// The account counts the message already.
  DeliveryOutcome place(const DeliveryTarget& target, std::uint64_t modseq) {
    if (target.id) {
      if (const auto before = find_applied(scope_, *target.id))
        return {DeliveryState::repeated, *before};
    }
    if (!check_quota(scope_, target.account, target.quota, 0)) {
      return {DeliveryState::over_quota, {}};
    }
    const MailboxInfo mailbox = choose_mailbox(scope_, target).value();
    refer_to_body();
    MessageRow row;
    row.state.flags = target.flags;
    row.object = delivery_.body.object;
    row.internal_date = delivery_.internal_date;
    row.saved_date = now_;
    row.size = delivery_.body.size;
    const auto placed = place_message(scope_, mailbox, std::move(row), modseq);
    if (!placed) {
      // Out of UIDs: as full as a mailbox can be.
      drop_references(scope_, delivery_.body.object, 1, now_);
      return {DeliveryState::over_quota, {}};
    }
    if (target.id) remember(scope_, *target.id, *placed);
    return {DeliveryState::placed, *placed};
  }

  void refer_to_body() {
    if (put_) {
      add_references(scope_, delivery_.body.object, 1);
    } else {
      put_object(scope_, delivery_.body, delivery_.index);
    }
    put_ = true;
  }

  sql::TenantScope& scope_;
  const Delivery& delivery_;
  Timestamp now_;
  bool put_ = false;
};

}  // namespace

std::vector<DeliveryOutcome> deliver(sql::TenantScope& scope, const Delivery& delivery,
                                     Timestamp now) {
  Deliverer deliverer(scope, delivery, now);
  std::vector<DeliveryOutcome> outcomes;
  outcomes.reserve(delivery.targets.size());
  for (const DeliveryTarget& target : delivery.targets) outcomes.push_back(deliverer.apply(target));
  return outcomes;
}

std::int64_t sweep_applied_deliveries(sql::TenantScope& scope, Timestamp older_than, int limit) {
  // A UUIDv7 begins with its time in milliseconds (RFC 9562 §5.7), so the key's order is the age.
  const auto millis =
      std::chrono::floor<std::chrono::milliseconds>(older_than).time_since_epoch().count();
  DeliveryId bound;
  for (std::size_t i = 0; i < 6; ++i) {
    bound.value.bytes[i] =
        static_cast<std::uint8_t>(static_cast<std::uint64_t>(millis) >> (40U - 8U * i));
  }
  scope
      .prepare(
          "DELETE FROM applied_deliveries WHERE tenant_id = :tenant AND delivery_id IN "
          "(SELECT delivery_id FROM applied_deliveries WHERE tenant_id = :tenant AND delivery_id < "
          ":bound "
          "LIMIT :limit)")
      .bind(":bound", bound)
      .bind(":limit", limit)
      .run();
  return scope.changes();
}

}  // namespace postern::mailbox
