#include "smtp/reception/local_delivery.hpp"

#include "dkim/results/authentication_results.hpp"
#include "message/header.hpp"
#include "smtp/reception/placement.hpp"
#include "smtp/reception/recipient_address.hpp"
#include "smtp/reception/replies.hpp"

namespace postern::smtp::reception {

namespace {

queue::Reply to_queue(const Reply& reply) {
  return queue::make_reply(
      reply.code, {reply.status.klass, reply.status.subject, reply.status.detail}, reply.text);
}

// Like a stranger's message, but for SPF: there is no client address. Gives the folder and puts the
// results into the header.
Task<Folder> verify(const Environment& environment, std::string return_path,
                    HeaderAndContent& message) {
  dkim::Options options;
  options.authserv_id = environment.policy.hostname;
  options.budget = environment.policy.dns_budget;
  options.now = environment.clock->now();
  dkim::Envelope who;
  who.mail_from = std::move(return_path);
  auto verdicts = co_await dkim::authenticate(
      environment.resolver(), std::move(who),
      std::make_shared<const dkim::Message>(dkim::Message{message.header, message.content.body}),
      std::move(options));
  message.header = verdicts.results_field +
                   dkim::without_forged_results(message.header, environment.policy.hostname);
  co_return verdicts.disposition == dkim::Disposition::deliver ? Folder::inbox : Folder::junk;
}

// The queue keeps text that was a path when it was accepted.
Path path_of(const std::string& address) {
  const auto at = address.rfind('@');
  return parse_mailbox(address).value_or(
      Path{address.substr(0, at), at == std::string::npos ? "" : address.substr(at + 1)});
}

}  // namespace

// A look-up that fails counts as local: the delivery looks again, and waits if it must.
Task<queue::Transport> LocalDeliveryAgent::transport_for(std::string address) {
  auto whose = co_await find_recipient(environment_, path_of(address));
  const bool remote = whose && whose->resolution->verdict == accounts::Verdict::not_hosted;
  co_return remote ? queue::Transport::remote : queue::Transport::local;
}

Task<Result<queue::Reply>> LocalDeliveryAgent::deliver(delivery::LocalDelivery delivery) {
  auto whose = co_await find_recipient(environment_, path_of(delivery.recipient.address));
  if (!whose) co_return std::unexpected(whose.error());
  const auto& found = *whose->resolution;
  if (found.verdict != accounts::Verdict::deliver || found.routes.empty()) {
    co_return to_queue(recipient_refusal(found.verdict));
  }
  auto message = co_await open_message(delivery.body);
  if (!message) co_return std::unexpected(message.error());

  const auto& envelope = delivery.message->envelope;
  Folder folder = envelope.filing == queue::Filing::junk ? Folder::junk : Folder::inbox;
  const bool from_another_tenant = found.tenant != envelope.tenant && !envelope.submitter.empty();
  if (from_another_tenant && environment_.policy.authenticate_inbound) {
    folder = co_await verify(environment_, envelope.return_path, *message);
  }
  // One delivery id per account: an alias may lead to several.
  std::vector<mailbox::DeliveryTarget> targets;
  for (const auto& route : found.routes) {
    mailbox::DeliveryTarget target;
    auto id = delivery.id;
    for (std::size_t i = 8; i < id.value.bytes.size(); ++i) {  // the time stays
      id.value.bytes[i] ^= route.account.value.bytes[i];
    }
    target.id = id;
    target.account = route.account;
    target.mailbox = folder == Folder::junk ? mailbox::SpecialUse::junk : mailbox::SpecialUse::none;
    targets.push_back(std::move(target));
  }
  const mailbox::Place where{found.tenant, found.routes.front().shard};
  auto outcomes = co_await deliver_to_mailboxes(
      environment_, where, envelope.lane, std::move(targets),
      return_path_field(envelope.return_path) + message->header, message->content);
  if (!outcomes) co_return std::unexpected(outcomes.error());
  for (const auto& outcome : *outcomes) {
    // Temporary where an alias leads to others that have it: the next try repeats those, and makes
    // no second copy.
    if (outcome.state == mailbox::DeliveryState::over_quota) {
      co_return found.routes.size() == 1
          ? queue::make_reply(552, {5, 2, 2}, "The mailbox is full")
          : queue::make_reply(452, {4, 2, 2}, "A mailbox of this alias is full");
    }
  }
  co_return queue::make_reply(250, {2, 1, 5}, "delivered");
}

}  // namespace postern::smtp::reception
