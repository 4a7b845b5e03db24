#include "smtp/reception/origination.hpp"

#include <fmt/format.h>

#include <utility>

#include "core/log.hpp"
#include "dkim/canonical.hpp"
#include "message/email_address.hpp"
#include "message/header.hpp"
#include "smtp/queue/message.hpp"
#include "smtp/reception/placement.hpp"
#include "smtp/reception/trace_field.hpp"

namespace postern::smtp::reception {

namespace {

Result<void> add_recipients(Envelope& envelope, const std::vector<message::Mailbox>& mailboxes) {
  if (mailboxes.size() > queue::kMaxRecipients - envelope.recipients.size())
    return fail(Errc::too_large, "too many recipients");
  envelope.recipients.reserve(envelope.recipients.size() + mailboxes.size());
  for (const auto& mailbox : mailboxes) {
    auto path = parse_mailbox(mailbox.address);
    if (!path) return fail(Errc::invalid, "a recipient is not an address");
    Recipient recipient;
    recipient.path = std::move(*path);
    recipient.notify.never = true;
    envelope.recipients.push_back(std::move(recipient));
  }
  return {};
}

Result<Envelope> make_envelope(const Origination& origination) {
  Envelope envelope;
  envelope.ret = Ret::headers;
  if (!origination.return_path.empty()) {
    auto path = parse_mailbox(origination.return_path);
    if (!path) return fail(Errc::invalid, "the return path is not an address");
    envelope.return_path = std::move(*path);
  }
  for (const auto* list : {&origination.message.to, &origination.message.cc}) {
    if (auto added = add_recipients(envelope, *list); !added) return std::unexpected(added.error());
  }
  if (envelope.recipients.empty()) return fail(Errc::invalid, "a message without recipients");
  // The recipients stand in the header, which is looked at once it is built.
  if (!envelope.return_path.is_ascii()) envelope.charset = Charset::utf8;
  return envelope;
}

Result<std::string> author_domain(const message::Outgoing& message) {
  if (message.from.size() != 1) return fail(Errc::invalid, "a message has one author");
  auto path = parse_mailbox(message.from.front().address);
  if (!path) return fail(Errc::invalid, "the author is not an address");
  return std::move(path->domain);
}

std::string build(const Environment& environment, message::Outgoing message, MessageId id) {
  message.date = environment.clock->now();
  message.message_id = fmt::format("<{}@{}>", id.text(), environment.policy.hostname);
  message.fields.emplace_back("Auto-Submitted", "auto-generated");
  return message::build_message(message);
}

std::string trace_of(const Environment& environment, const Envelope& envelope, MessageId id) {
  const std::string text = id.text();
  Trace trace;
  trace.hostname = environment.policy.hostname;
  trace.id = text;
  trace.time = environment.clock->now();
  return make_received(envelope, trace);
}

std::unexpected<Error> refusal(const Reply& reply) {
  constexpr int kNoRoom = 452;
  const Errc code = reply.permanent()       ? Errc::invalid
                    : reply.code == kNoRoom ? Errc::overloaded
                                            : Errc::temporary;
  return fail(code, reply.cause.empty() ? reply.text : reply.cause);
}

// `text` with what every message of ours begins with, ready to be placed but for its envelope.
Task<Result<Accepted>> prepare(const Environment& environment, OutboundSigner& signer,
                               const Envelope& envelope, MessageId id, std::string domain,
                               std::string text) {
  const auto parts = message::split_header(text);
  const std::string header(parts.header);
  auto signatures = co_await signer.sign_for_server(domain, header, dkim::body_hash(parts.body));
  if (!signatures) co_return std::unexpected(signatures.error());
  if (signatures->empty() && environment.policy.alignment != Alignment::off)
    log::warn("unsigned_origination", {{"id", id.text()}, {"domain", domain}});
  Accepted out;
  out.id = id;
  out.header = *signatures + trace_of(environment, envelope, id) + header;
  out.content.ascii = message::is_ascii(parts.body);
  out.content.body = storage::source_from(storage::plain_source(std::move(text)), header.size());
  co_return out;
}

}  // namespace

Task<Result<MessageId>> originate(const Environment& environment, OutboundSigner& signer,
                                  Origination origination) {
  if (origination.deadline && environment.clock->now() >= *origination.deadline)
    co_return fail(Errc::timeout, "the deadline has passed");
  auto envelope = make_envelope(origination);
  if (!envelope) co_return std::unexpected(envelope.error());
  auto domain = author_domain(origination.message);
  if (!domain) co_return std::unexpected(domain.error());

  const MessageId id = MessageId::make();
  auto accepted = co_await prepare(environment, signer, *envelope, id, std::move(*domain),
                                   build(environment, std::move(origination.message), id));
  if (!accepted) co_return std::unexpected(accepted.error());
  if (!message::is_ascii(accepted->header)) envelope->charset = Charset::utf8;
  accepted->envelope = &*envelope;
  accepted->return_path = to_string(envelope->return_path);
  accepted->lane = origination.lane;
  accepted->deadline = origination.deadline;
  accepted->stream = origination.stream;
  accepted->origin = origination.origin;
  accepted->session = origination.origin;
  accepted->owner = origination.tenant;
  const auto reply = co_await place(environment, std::move(*accepted));
  if (!reply.positive()) co_return refusal(reply);
  co_return id;
}

}  // namespace postern::smtp::reception
