#include "smtp/reception/inbound.hpp"

#include <fmt/format.h>

#include "core/log.hpp"
#include "core/metrics.hpp"
#include "dkim/results/authentication_results.hpp"
#include "message/header.hpp"
#include "smtp/reception/placement.hpp"
#include "smtp/reception/replies.hpp"
#include "smtp/reception/trace_field.hpp"

namespace postern::smtp::reception {

namespace {

metrics::Counter& verdict_counter(dkim::Disposition disposition) {
  static metrics::Counter deliver("postern_inbound_total",
                                  "Inbound messages by what DMARC made of them",
                                  "disposition=\"deliver\"");
  static metrics::Counter junk("postern_inbound_total",
                               "Inbound messages by what DMARC made of them",
                               "disposition=\"junk\"");
  static metrics::Counter reject("postern_inbound_total",
                                 "Inbound messages by what DMARC made of them",
                                 "disposition=\"reject\"");
  switch (disposition) {
    case dkim::Disposition::junk: return junk;
    case dkim::Disposition::reject: return reject;
    case dkim::Disposition::deliver: break;
  }
  return deliver;
}

Task<dkim::Verdicts> verify(const Environment& environment, const SessionInfo& session,
                            const Envelope& envelope, dkim::MessagePtr message) {
  dkim::Envelope who;
  who.ip = session.remote.address();
  who.helo = session.hello.name;
  who.mail_from = to_string(envelope.return_path);
  dkim::Options options;
  options.authserv_id = environment.policy.hostname;
  options.budget = environment.policy.dns_budget;
  options.refusal = environment.policy.refusal;
  options.now = environment.clock->now();
  co_return co_await dkim::authenticate(environment.resolver(), std::move(who), std::move(message),
                                        std::move(options));
}

}  // namespace

Task<Reply> accept_inbound(const Environment& environment, const SessionInfo& session,
                           const Envelope& envelope, ReceivedMessage received) {
  if (count_received(received.header) >= environment.policy.received_hops) {
    co_return Reply{554, {5, 4, 6}, "Too many hops: this message is in a loop", {}, Blame::client};
  }
  if (message::count_fields(received.header, "From") != 1) {
    // Two authors would let DMARC look at one and people at the other (RFC 5322 §3.6, RFC 9989 §5).
    co_return Reply{
        550, {5, 6, 0}, "The message must have exactly one From field", {}, Blame::client};
  }
  Accepted accepted;
  accepted.id = MessageId::make();
  accepted.return_path = to_string(envelope.return_path);
  accepted.envelope = &envelope;
  accepted.origin = fmt::format("smtp {}", session.remote.address().to_string());
  accepted.session = session.id;

  std::string results;
  if (environment.policy.authenticate_inbound) {
    auto verdicts = co_await verify(environment, session, envelope,
                                    std::make_shared<const dkim::Message>(
                                        dkim::Message{received.header, received.content.body}));
    verdict_counter(verdicts.disposition).add();
    if (verdicts.disposition == dkim::Disposition::reject) {
      co_return Reply{
          550, {5, 7, 1}, "Refused by the DMARC policy of the From domain", {}, Blame::policy};
    }
    if (verdicts.disposition == dkim::Disposition::junk) accepted.folder = Folder::junk;
    results = std::move(verdicts.results_field);
  }
  accepted.header = results;
  const std::string id = accepted.id.text();
  Trace trace;
  trace.hostname = environment.policy.hostname;
  trace.id = id;
  trace.time = environment.clock->now();
  accepted.header += make_received(session, envelope, trace);
  accepted.header += dkim::without_forged_results(received.header, environment.policy.hostname);
  accepted.content = std::move(received.content);
  co_return co_await place(environment, std::move(accepted));
}

}  // namespace postern::smtp::reception
