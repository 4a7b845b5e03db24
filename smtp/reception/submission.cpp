#include "smtp/reception/submission.hpp"

#include <fmt/format.h>

#include "core/ascii.hpp"
#include "core/log.hpp"
#include "dkim/results/authentication_results.hpp"
#include "message/address.hpp"
#include "message/date.hpp"
#include "message/header.hpp"
#include "smtp/reception/placement.hpp"
#include "smtp/reception/replies.hpp"
#include "smtp/reception/trace_field.hpp"

namespace postern::smtp::reception {

namespace {

constexpr std::size_t kMaxAuthors = 20;  // addresses in From

// Outside quotes and comments each mailbox has one '@' and at most one pair of angle brackets: what
// a lenient parser skips must not be what the reader sees.
bool is_plain_list(std::string_view value, std::size_t mailboxes) {
  std::size_t ats = 0;
  std::size_t angles = 0;
  int comments = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    if (c == '\\') {
      ++i;
    } else if (c == '"' && comments == 0) {
      quoted = !quoted;
    } else if (!quoted && c == '(') {
      ++comments;
    } else if (!quoted && c == ')' && comments > 0) {
      --comments;
    } else if (!quoted && comments == 0) {
      ats += c == '@' ? 1 : 0;
      angles += c == '<' ? 1 : 0;
    }
  }
  return ats == mailboxes && angles <= mailboxes && !quoted && comments == 0;
}

// Every address of From, and Sender, must be one that the login may use: DKIM will vouch for it.
Task<Outcome<std::string>> check_authors(const Environment& environment, const SessionInfo& session,
                                         std::string header) {
  const auto block = message::HeaderBlock::parse(header);
  if (message::count_fields(header, "From") != 1 || message::count_fields(header, "Sender") > 1) {
    co_return refuse(550, {5, 6, 0},
                     "The message must have exactly one From field, and one Sender at most");
  }
  auto addresses = message::parse_mailboxes(block.first("From")->value);
  if (addresses.empty() || addresses.size() > kMaxAuthors ||
      !is_plain_list(block.first("From")->value, addresses.size())) {
    co_return refuse(550, {5, 6, 0},
                     "The From field must be a list of addresses, and not a long one");
  }
  const std::string domain = addresses.front().domain;
  if (const auto* sender = block.first("Sender")) {
    for (auto& address : message::parse_mailboxes(sender->value)) {
      addresses.push_back(std::move(address));
    }
  }
  const accounts::Identity who{session.identity->tenant, session.identity->account};
  for (const auto& address : addresses) {
    const std::string text = address.addr_spec();
    auto allowed = co_await environment.directory->may_send_as(who, text);
    if (!allowed && allowed.error().code != Errc::invalid)
      co_return refuse(temporary(allowed.error()));
    if (!allowed || !*allowed) co_return refuse(wrong_sender(text));
  }
  co_return ascii::to_lower(domain);
}

// Fields that a submitted message must have (RFC 6409 §8.2, §8.3).
std::string missing_fields(std::string_view header, const Environment& environment, MessageId id) {
  const auto block = message::HeaderBlock::parse(header);
  std::string out;
  if (block.count("Date") == 0) {
    out += fmt::format("Date: {}\r\n", message::format_date(environment.clock->now()));
  }
  if (block.count("Message-ID") == 0) {
    out += fmt::format("Message-ID: <{}@{}>\r\n", id.text(), environment.policy.hostname);
  }
  return out;
}

// Only final delivery writes Return-Path (RFC 5321 §4.4); Bcc is for nobody's eyes (RFC 5322
// §3.6.3).
std::string without_private_fields(std::string_view header) {
  std::string out;
  message::HeaderReader reader(header);
  while (const auto field = reader.next()) {
    if (ascii::iequals(field->name, "Return-Path") || ascii::iequals(field->name, "Bcc")) continue;
    out += header.substr(field->offset, field->size);
  }
  out += header.substr(reader.position());
  return out;
}

}  // namespace

Task<Reply> accept_submission(const Environment& environment, OutboundSigner& signer,
                              const SessionInfo& session, const Envelope& envelope,
                              ReceivedMessage received) {
  if (count_received(received.header) >= environment.policy.received_hops) {
    co_return Reply{554, {5, 4, 6}, "Too many hops: this message is in a loop", {}, Blame::client};
  }
  auto domain = co_await check_authors(environment, session, received.header);
  if (!domain) co_return domain.error();

  Accepted accepted;
  accepted.id = MessageId::make();
  accepted.return_path = to_string(envelope.return_path);
  accepted.envelope = &envelope;
  accepted.origin = fmt::format("smtp {}", session.remote.address().to_string());
  accepted.session = session.id;
  accepted.owner = session.identity->tenant;
  accepted.submitter = session.identity;

  std::string header = missing_fields(received.header, environment, accepted.id);
  header += dkim::without_forged_results(without_private_fields(received.header),
                                         environment.policy.hostname);
  auto signatures =
      co_await signer.sign(session.identity->tenant, *domain, header, received.body_hash);
  if (!signatures) {
    const auto code = signatures.error().code;
    if (code != Errc::invalid && code != Errc::too_large) co_return temporary(signatures.error());
    co_return Reply{550,
                    {5, 6, 0},
                    "The header is one that can't be signed",
                    signatures.error().message,
                    Blame::client};
  }
  if (signatures->empty() && environment.policy.alignment != Alignment::off) {
    log::warn("unsigned_submission", {{"id", accepted.id.text()}, {"domain", *domain}});
    if (environment.policy.alignment == Alignment::enforce) {
      co_return Reply{550, {5, 7, 1}, "The From domain has no DKIM key here", {}, Blame::policy};
    }
  }
  accepted.header = std::move(*signatures);
  const std::string id = accepted.id.text();
  Trace trace;
  trace.hostname = environment.policy.hostname;
  trace.id = id;
  trace.time = environment.clock->now();
  trace.client = ClientAddress::hidden;
  accepted.header += make_received(session, envelope, trace);
  accepted.header += header;
  accepted.content = std::move(received.content);
  co_return co_await place(environment, std::move(accepted));
}

}  // namespace postern::smtp::reception
