#include "smtp/queue/report.hpp"

#include <algorithm>

#include "message/email_address.hpp"

namespace postern::smtp::queue {

namespace {
using message::DsnAction;
using Kind = AttemptResult::Kind;

constexpr std::size_t kMaxNamedRecipients = 50;  // in the part for people; all are in the machine's

bool allows(const Notify& notify, std::uint8_t bit) { return !notify.present() || notify.has(bit); }

std::optional<DsnAction> success_report(const Recipient& recipient, const AttemptResult& result) {
  if (!recipient.notify.has(Notify::kSuccess)) return std::nullopt;
  if (recipient.transport == Transport::local) return DsnAction::delivered;
  if (result.peer_reports == AttemptResult::Reports::yes) return std::nullopt;
  return DsnAction::relayed;
}

DsnAction gravest(const std::vector<ReportedRecipient>& reported) {
  auto worst = reported.front().action;
  for (const auto& one : reported)
    worst = std::min(worst, one.action);  // failed < delayed < the good ones
  return worst;
}

std::string_view subject_of(DsnAction action) {
  switch (action) {
    case DsnAction::failed: return "Your message could not be delivered";
    case DsnAction::delayed: return "Your message is delayed";
    case DsnAction::delivered:
    case DsnAction::relayed:
    case DsnAction::expanded: break;
  }
  return "Your message was delivered";
}

std::string_view sentence_of(DsnAction action) {
  switch (action) {
    case DsnAction::failed: return "could not be delivered";
    case DsnAction::delayed:
      return "could not be delivered yet; this will be tried again, nothing is to be done";
    case DsnAction::delivered: return "was delivered";
    case DsnAction::relayed:
      return "was handed on to a system that doesn't send such notices; this is the last one";
    case DsnAction::expanded: return "was handed on to several recipients";
  }
  return "";
}

std::string status_of(const ReportedRecipient& one) {
  switch (one.action) {
    case DsnAction::failed:
      // RFC 3463 §3.5 X.4.7: time ran out, whatever was said before.
      return one.outcome.state == State::expired ? "4.4.7" : one.outcome.reply.status();
    case DsnAction::delayed:
      return one.outcome.reply.temporary() ? one.outcome.reply.status() : "4.4.1";
    case DsnAction::delivered:
    case DsnAction::relayed:
    case DsnAction::expanded: break;
  }
  return one.outcome.reply.positive() ? one.outcome.reply.status() : "2.0.0";
}

message::DsnRecipient dsn_recipient(const Envelope& envelope, const ReportedRecipient& one) {
  message::DsnRecipient out;
  out.final_recipient = one.recipient.address;
  out.original_recipient = one.recipient.original;
  out.action = one.action;
  out.status = status_of(one);
  out.remote_mta = one.outcome.remote_mta;
  // Only a peer's words are a diagnostic (RFC 3464 §2.3.6); ours are in the text for people.
  if (!one.outcome.remote_mta.empty() && one.outcome.reply.code != 0)
    out.diagnostic = one.outcome.reply.one_line();
  out.last_attempt = one.outcome.at;
  if (one.action == DsnAction::delayed) out.will_retry_until = envelope.expires_at;
  return out;
}

std::string text_for_people(const std::vector<ReportedRecipient>& reported,
                            const std::string& hostname) {
  std::string text = "This is the mail system at " + hostname + ".\r\n";
  std::size_t named = 0;
  for (const auto& one : reported) {
    if (++named > kMaxNamedRecipients) {
      text += fmt::format("\r\nand {} more.\r\n", reported.size() - kMaxNamedRecipients);
      break;
    }
    text += fmt::format("\r\nYour message to <{}> {}.\r\n", one.recipient.address,
                        sentence_of(one.action));
    if (one.outcome.state == State::expired) text += "The time for trying is over.\r\n";
    if (one.action == DsnAction::relayed || one.action == DsnAction::delivered ||
        one.outcome.reply.code == 0)
      continue;
    text += one.outcome.remote_mta.empty() ? "The reason: "
                                           : "The server " + one.outcome.remote_mta + " said: ";
    text += one.outcome.reply.one_line() + "\r\n";
  }
  return text;
}

std::string header_only(std::string original) {
  const auto end = original.find("\r\n\r\n");
  if (end != std::string::npos) {
    original.resize(end + 2);
  } else if (const auto line = original.rfind("\r\n"); line != std::string::npos) {
    original.resize(line + 2);
  }
  return original;
}

bool returns_all(const Envelope& envelope, const std::vector<ReportedRecipient>& reported) {
  const bool failed = std::ranges::any_of(
      reported, [](const auto& one) { return one.action == DsnAction::failed; });
  return failed && envelope.ret == Ret::full && envelope.size <= kMaxReturnedMessage;
}

Envelope report_envelope(const Envelope& original, Timestamp now, std::chrono::seconds expiry) {
  Envelope envelope;
  envelope.tenant = original.tenant;
  envelope.id = MessageId::make();
  envelope.lane = std::max(original.lane, Lane::transactional);
  envelope.stream = original.stream;
  envelope.created_at = now;
  envelope.expires_at = now + expiry;
  envelope.origin = "report";
  return envelope;
}
}  // namespace

std::optional<DsnAction> report_for(const Envelope& envelope, const Recipient& recipient,
                                    const AttemptResult& result, const Outcome& outcome) {
  if (envelope.return_path.empty() || recipient.notify.has(Notify::kNever)) return std::nullopt;
  switch (outcome.state) {
    case State::delivered: return success_report(recipient, result);
    case State::failed:
    case State::expired:
      if (allows(recipient.notify, Notify::kFailure)) return DsnAction::failed;
      return std::nullopt;
    case State::queued:
      if (outcome.delay_reported && !recipient.delay_reported &&
          allows(recipient.notify, Notify::kDelay)) {
        return DsnAction::delayed;
      }
      return std::nullopt;
    case State::held:
    case State::dropped: break;
  }
  return std::nullopt;
}

std::uint64_t original_bytes_needed(const Envelope& envelope,
                                    const std::vector<ReportedRecipient>& reported) {
  if (returns_all(envelope, reported)) return envelope.size;
  return std::min(envelope.size, kMaxReturnedHeader);
}

Report make_report(const Envelope& envelope, const std::vector<ReportedRecipient>& reported,
                   std::string original, const std::string& hostname, Transport transport,
                   Timestamp now, std::chrono::seconds expiry) {
  Report report;
  report.message.envelope = report_envelope(envelope, now, expiry);
  const bool whole = returns_all(envelope, reported);
  message::DsnMessage dsn;
  dsn.from_address = "postmaster@" + hostname;
  dsn.to_address = envelope.return_path;
  dsn.subject = subject_of(gravest(reported));
  dsn.text = text_for_people(reported, hostname);
  dsn.date = now;
  dsn.message_id = "<" + report.message.envelope.id.text() + "@" + hostname + ">";
  dsn.report.reporting_mta = hostname;
  dsn.report.envelope_id = envelope.envelope_id;
  dsn.report.arrival = envelope.created_at;
  for (const auto& one : reported) dsn.report.recipients.push_back(dsn_recipient(envelope, one));
  dsn.returned = whole ? message::DsnReturn::full : message::DsnReturn::headers;
  dsn.original = whole ? std::move(original) : header_only(std::move(original));
  report.text = message::build_dsn(dsn);

  auto& out = report.message.envelope;
  if (!message::is_ascii(report.text)) out.body_type = BodyType::eight_bit;
  const bool utf8_names = !message::is_ascii(envelope.return_path) || envelope.utf8 == Utf8::needed;
  if (utf8_names) out.utf8 = Utf8::needed;
  NewRecipient recipient;
  recipient.address = envelope.return_path;
  recipient.transport = transport;
  recipient.notify.bits = Notify::kNever;  // RFC 3461 §6.1
  report.message.recipients.push_back(std::move(recipient));
  return report;
}

}  // namespace postern::smtp::queue
