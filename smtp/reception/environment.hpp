// What acceptance works with: the floors below, as app/ wired them. All outlive every session.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "accounts/authenticator.hpp"
#include "accounts/directory.hpp"
#include "core/dns/dns.hpp"
#include "core/time.hpp"
#include "dkim/authenticate.hpp"
#include "mailbox/mailbox_store.hpp"
#include "smtp/delivery/service.hpp"
#include "smtp/server/byte_budget.hpp"
#include "storage/body/body_spool.hpp"
#include "storage/database.hpp"

namespace postern::smtp::reception {

/// What becomes of submitted mail whose From domain has no DKIM key here.
enum class Alignment : std::uint8_t { off, warn, enforce };

struct Policy {
  std::string hostname;             ///< ours: in Received, and the authserv-id
  std::size_t received_hops = 100;  ///< RFC 5321 §6.3: at least 100
  std::chrono::milliseconds dns_budget{5'000};
  std::chrono::milliseconds expiry = std::chrono::hours(120);
  bool authenticate_inbound = true;  ///< SPF, DKIM and DMARC
  Alignment alignment = Alignment::warn;
  dkim::Refusal refusal = dkim::Refusal::on_other_signal;
};

struct Environment {
  Policy policy;
  Clock* clock = nullptr;
  accounts::Directory* directory = nullptr;
  accounts::Authenticator* authenticator = nullptr;
  mailbox::MailboxStore* mailboxes = nullptr;
  storage::Database* queue = nullptr;
  delivery::DeliveryService* delivery = nullptr;
  queue::EventSink* events = nullptr;  ///< may be null
  /// What all messages being received may hold in memory together.
  std::shared_ptr<ByteBudget> budget;
  /// Where large bodies wait for their commit.
  std::optional<storage::Staging> staging;
  /// The resolver of the calling io thread.
  std::function<dns::Resolver&()> resolver;
};

}  // namespace postern::smtp::reception
