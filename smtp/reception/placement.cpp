#include "smtp/reception/placement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/log.hpp"
#include "message/email_address.hpp"
#include "smtp/queue/repository.hpp"
#include "smtp/reception/placed_events.hpp"
#include "smtp/reception/recipient_address.hpp"
#include "smtp/reception/replies.hpp"
#include "storage/body/body_store.hpp"

namespace postern::smtp::reception {

namespace {

/// The recipients sorted by how they are reached.
struct Plan {
  std::vector<accounts::Route> routes;  ///< mailboxes here, each once per tenant and account
  std::map<TenantId, std::vector<queue::NewRecipient>> local;  ///< by the tenant that hosts them
  std::vector<queue::NewRecipient> remote;
  bool wants_success_report = false;
  bool all_deliverable = true;  ///< no recipient went away since RCPT
};

queue::Notify to_queue(const Notify& notify) {
  queue::Notify out;
  if (notify.never) out.bits |= queue::Notify::kNever;
  if (notify.success) out.bits |= queue::Notify::kSuccess;
  if (notify.failure) out.bits |= queue::Notify::kFailure;
  if (notify.delay) out.bits |= queue::Notify::kDelay;
  return out;
}

queue::NewRecipient to_queue(const Recipient& recipient, std::string address,
                             queue::Transport transport) {
  queue::NewRecipient out;
  out.address = std::move(address);
  out.transport = transport;
  out.notify = to_queue(recipient.notify);
  if (recipient.original)
    out.original = recipient.original->type + ";" + recipient.original->address;
  return out;
}

void add_routes(Plan& plan, const accounts::Resolution& resolution) {
  for (const auto& route : resolution.routes) {
    const bool known = std::ranges::any_of(plan.routes, [&](const accounts::Route& r) {
      return r.tenant == route.tenant && r.account == route.account;
    });
    if (!known) plan.routes.push_back(route);
  }
}

Task<Outcome<Plan>> make_plan(const Environment& environment, const Envelope& envelope) {
  Plan plan;
  for (const auto& recipient : envelope.recipients) {
    auto whose = co_await find_recipient(environment, recipient.path);
    if (!whose) co_return refuse(temporary(whose.error()));
    plan.wants_success_report |= recipient.notify.success;
    const auto& found = *whose->resolution;
    if (found.verdict == accounts::Verdict::not_hosted) {
      plan.remote.push_back(
          to_queue(recipient, std::move(whose->address), queue::Transport::remote));
    } else {
      // Accepted at RCPT; if the mailbox went away since, the queue reports that to the sender.
      plan.all_deliverable &= found.verdict == accounts::Verdict::deliver;
      plan.local[found.tenant].push_back(
          to_queue(recipient, std::move(whose->address), queue::Transport::local));
      add_routes(plan, found);
    }
  }
  co_return plan;
}

bool goes_straight_to_mailboxes(const Plan& plan, const Accepted& message) {
  if (!plan.remote.empty() || plan.local.size() != 1 || plan.routes.empty()) return false;
  if (!plan.all_deliverable || plan.wants_success_report) return false;  // the queue makes reports
  const bool same_tenant = std::ranges::all_of(plan.routes, [&](const accounts::Route& r) {
    return r.tenant == plan.routes.front().tenant;
  });
  return same_tenant &&
         (!message.submitter || message.submitter->tenant == plan.routes.front().tenant);
}

// The mailboxes that didn't take the message, as recipients for the queue.
Plan unplaced(const Plan& plan, const std::vector<mailbox::DeliveryOutcome>& outcomes) {
  Plan rest;
  for (std::size_t i = 0; i < plan.routes.size(); ++i) {
    const auto state = outcomes[i].state;
    if (state == mailbox::DeliveryState::placed || state == mailbox::DeliveryState::repeated) {
      continue;
    }
    rest.routes.push_back(plan.routes[i]);
    queue::NewRecipient recipient;
    recipient.address = plan.routes[i].address;
    recipient.transport = queue::Transport::local;
    rest.local[plan.routes[i].tenant].push_back(std::move(recipient));
  }
  return rest;
}

Task<Reply> place_in_queue(const Environment& environment, Accepted message, Plan plan);

Task<Reply> place_in_mailboxes(const Environment& environment, Accepted message, Plan plan) {
  std::vector<mailbox::DeliveryTarget> targets;
  for (const auto& route : plan.routes) {
    mailbox::DeliveryTarget target;
    target.account = route.account;
    target.mailbox =
        message.folder == Folder::junk ? mailbox::SpecialUse::junk : mailbox::SpecialUse::none;
    targets.push_back(std::move(target));
  }
  const mailbox::Place where{plan.routes.front().tenant, plan.routes.front().shard};
  std::string header = return_path_field(message.return_path) + message.header;
  const PlacedEvents events(environment.events, message, plan.routes, environment.clock->now());
  auto outcomes =
      co_await deliver_to_mailboxes(environment, where, message.lane, std::move(targets),
                                    std::move(header), message.content, events.alongside());
  if (!outcomes) co_return temporary(outcomes.error());
  Plan rest = unplaced(plan, *outcomes);
  if (rest.routes.size() == plan.routes.size()) {
    co_return Reply{452, {4, 2, 2}, "The mailbox takes no mail now", {}, Blame::client};
  }
  events.committed();
  if (rest.local.empty()) co_return queued(message.id.text());
  // Some have it and some can't take it now: those wait in the queue, under an id of their own.
  message.id = MessageId::make();
  co_return co_await place_in_queue(environment, std::move(message), std::move(rest));
}

queue::Envelope queue_envelope(const Environment& environment, const Accepted& message,
                               TenantId tenant, MessageId id) {
  const auto now = environment.clock->now();
  queue::Envelope out;
  out.tenant = tenant;
  out.id = id;
  out.return_path = message.return_path;
  out.envelope_id = message.envelope->envid;
  out.ret = message.envelope->ret == Ret::full      ? queue::Ret::full
            : message.envelope->ret == Ret::headers ? queue::Ret::headers
                                                    : queue::Ret::unspecified;
  const bool eight_bit = !message.content.ascii || !message::is_ascii(message.header);
  out.body_type = eight_bit ? queue::BodyType::eight_bit : queue::BodyType::seven_bit;
  out.utf8 =
      message.envelope->charset == Charset::utf8 ? queue::Utf8::needed : queue::Utf8::not_needed;
  out.lane = message.lane;
  out.filing = message.folder == Folder::junk ? queue::Filing::junk : queue::Filing::inbox;
  out.stream = message.stream;
  out.created_at = now;
  out.expires_at = now + environment.policy.expiry;
  out.deadline = message.deadline;
  out.origin = message.origin;
  if (message.submitter) {
    out.submitter = message.submitter->login;
    out.credential = message.submitter->credential;
  }
  return out;
}

Task<Result<queue::NewMessage>> seal_for(const Environment& environment, Accepted& message,
                                         TenantId tenant, MessageId id,
                                         std::vector<queue::NewRecipient> recipients) {
  auto body = co_await seal_message(environment, tenant, message.header, message.content);
  if (!body) co_return std::unexpected(body.error());
  queue::NewMessage out;
  out.envelope = queue_envelope(environment, message, tenant, id);
  out.recipients = std::move(recipients);
  out.body = std::make_shared<const storage::SealedBody>(std::move(*body));
  out.envelope.body = out.body->object;
  out.envelope.size = out.body->size;
  co_return out;
}

// One entry for the sender's tenant (remote recipients and, since its key seals them, those of
// every other tenant too), or one per receiving tenant for mail from outside.
Task<Result<std::vector<queue::NewMessage>>> make_entries(const Environment& environment,
                                                          Accepted& message, Plan plan) {
  std::vector<queue::NewMessage> entries;
  if (message.owner) {
    auto recipients = std::move(plan.remote);
    for (auto& [tenant, local] : plan.local) {
      std::ranges::move(local, std::back_inserter(recipients));
    }
    auto entry =
        co_await seal_for(environment, message, *message.owner, message.id, std::move(recipients));
    if (!entry) co_return std::unexpected(entry.error());
    entries.push_back(std::move(*entry));
    co_return entries;
  }
  for (auto& [tenant, local] : plan.local) {
    const MessageId id = entries.empty() ? message.id : MessageId::make();
    auto entry = co_await seal_for(environment, message, tenant, id, std::move(local));
    if (!entry) co_return std::unexpected(entry.error());
    entries.push_back(std::move(*entry));
  }
  co_return entries;
}

Task<Reply> place_in_queue(const Environment& environment, Accepted message, Plan plan) {
  auto entries = co_await make_entries(environment, message, std::move(plan));
  if (!entries) co_return temporary(entries.error());
  if (entries->empty())
    co_return Reply{451, {4, 2, 0}, "No recipient takes mail now", {}, Blame::server};
  auto shared = std::make_shared<const std::vector<queue::NewMessage>>(std::move(*entries));
  const auto ticket = environment.delivery->ticket();
  auto written = co_await environment.queue->write<void>(
      message.lane, storage::Purpose::intake,
      [shared, events = environment.events](sql::Transaction& tx) -> Result<void> {
        for (const auto& entry : *shared) {
          if (auto enqueued = queue::enqueue(tx, entry, events); !enqueued)
            return std::unexpected(enqueued.error());
        }
        return {};
      });
  if (!written) co_return temporary(written.error());
  for (const auto& entry : *shared) {
    if (environment.events != nullptr)
      environment.events->committed(queue::accepted_event(entry.envelope));
    environment.delivery->offer(
        std::make_shared<const queue::QueuedMessage>(queue::as_queued(entry)), ticket);
  }
  co_return queued(message.id.text());
}

}  // namespace

std::string return_path_field(std::string_view return_path) {
  return fmt::format("Return-Path: <{}>\r\n", return_path);
}

Task<Result<std::vector<mailbox::DeliveryOutcome>>> deliver_to_mailboxes(
    const Environment& environment, mailbox::Place place, Lane lane,
    std::vector<mailbox::DeliveryTarget> targets, std::string header, Content& content,
    mailbox::Alongside alongside) {
  auto sealed = co_await seal_indexed(environment, place.tenant, std::move(header), content);
  if (!sealed) co_return std::unexpected(sealed.error());
  co_return co_await environment.mailboxes->deliver(
      place, lane, std::move(targets), std::move(sealed->body), std::move(sealed->index),
      environment.clock->now(), std::move(alongside));
}

Task<Reply> place(const Environment& environment, Accepted message) {
  auto plan = co_await make_plan(environment, *message.envelope);
  if (!plan) co_return plan.error();
  if (!message.owner && !plan->remote.empty()) {
    // A domain left since RCPT. The sender's next try hears so, recipient by recipient.
    co_return Reply{451, {4, 3, 0}, "A recipient's domain has just left", {}, Blame::server};
  }
  const auto id = message.id.text();
  const bool direct = goes_straight_to_mailboxes(*plan, message);
  const auto session = message.session;
  const auto recipients = message.envelope->recipients.size();
  const auto size = message.header.size() + message.content.body->size();
  Reply reply;
  if (direct) {
    reply = co_await place_in_mailboxes(environment, std::move(message), std::move(*plan));
  } else {
    reply = co_await place_in_queue(environment, std::move(message), std::move(*plan));
  }
  if (reply.positive()) {
    log::info("message_accepted", {{"id", id},
                                   {"session", session},
                                   {"size", size},
                                   {"recipients", recipients},
                                   {"way", direct ? "mailbox" : "queue"}});
  }
  co_return reply;
}

}  // namespace postern::smtp::reception
