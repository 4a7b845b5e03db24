// One transaction of ClientFsm: what is sent, and what each reply means for each recipient.
#include <algorithm>
#include <utility>

#include "smtp/delivery/client_fsm.hpp"
#include "smtp/delivery/orcpt.hpp"
#include "smtp/protocol/xtext.hpp"

namespace postern::smtp::delivery {

using queue::AttemptResult;
using queue::Reply;
using Kind = AttemptResult::Kind;

namespace {
Kind kind_of(const Reply& reply) {
  if (reply.positive()) return Kind::delivered;
  return reply.permanent() ? Kind::failed : Kind::deferred;
}

}  // namespace

void ClientFsm::begin(TransactionPlan plan) {
  Transaction fresh;
  fresh.results.resize(plan.recipients.size());
  fresh.accepted.resize(plan.recipients.size());
  fresh.plan = std::move(plan);
  if (dirty_) fresh.following = Command::rset;
  transaction_ = std::move(fresh);
  result_.reset();
  heard_ = false;
  if (const auto why = refusal()) {
    settle_all(*why, Voice::ours);
    return end_transaction();
  }
  // RFC 9422 §4.2: recipients beyond what the server states go in a transaction of their own.
  const std::size_t most = capabilities_.max_recipients;
  for (std::size_t i = most; most > 0 && i < transaction_->results.size(); ++i) {
    settle(i, queue::make_reply(452, {4, 5, 3}, "more recipients than the server takes at once"),
           Kind::postponed, Voice::ours);
  }
  state_ = State::envelope;
  send_group();
}

// What this server can't take, said without asking it.
std::optional<Reply> ClientFsm::refusal() const {
  const auto& envelope = transaction_->plan.message->envelope;
  if (envelope.utf8 == queue::Utf8::needed && !capabilities_.smtputf8) {
    return queue::make_reply(553, {5, 6, 7},
                             "the message needs SMTPUTF8 and the next server doesn't offer it");
  }
  if (envelope.body_type == queue::BodyType::eight_bit && !capabilities_.eight_bit_mime) {
    // Converting would break the signatures: RFC 6152 §3 allows sending it back.
    return queue::make_reply(
        554, {5, 6, 3}, "the message has 8-bit text and the next server doesn't offer 8BITMIME");
  }
  if (capabilities_.max_size > 0 && envelope.size > capabilities_.max_size) {
    return queue::make_reply(552, {5, 3, 4},
                             "the message is larger than the " +
                                 std::to_string(capabilities_.max_size) +
                                 " bytes that the next server takes");
  }
  return std::nullopt;
}

std::string ClientFsm::mail_command() const {
  const auto& envelope = transaction_->plan.message->envelope;
  std::string command = "MAIL FROM:<" + envelope.return_path + ">";
  if (capabilities_.size) command += " SIZE=" + std::to_string(envelope.size);
  if (envelope.body_type == queue::BodyType::eight_bit) command += " BODY=8BITMIME";
  if (envelope.utf8 == queue::Utf8::needed) command += " SMTPUTF8";
  if (capabilities_.dsn) {
    if (envelope.ret == queue::Ret::full) command += " RET=FULL";
    if (envelope.ret == queue::Ret::headers) command += " RET=HDRS";
    if (!envelope.envelope_id.empty()) command += " ENVID=" + encode_xtext(envelope.envelope_id);
  }
  return command + "\r\n";
}

std::string ClientFsm::rcpt_command(const queue::Recipient& recipient) const {
  std::string command = "RCPT TO:<" + recipient.address + ">";
  if (capabilities_.dsn) {
    if (recipient.notify.present()) command += " NOTIFY=" + recipient.notify.text();
    const bool utf8 = transaction_->plan.message->envelope.utf8 == queue::Utf8::needed;
    const auto original = encode_orcpt(recipient.original, utf8 ? Charset::utf8 : Charset::ascii);
    if (!original.empty()) command += " ORCPT=" + original;
  }
  return command + "\r\n";
}

// Appends the command that follows; false when there is none to send now.
bool ClientFsm::append_command(std::string& group) {
  auto& t = *transaction_;
  if (!t.following) return false;
  switch (*t.following) {
    case Command::rset:
      group += "RSET\r\n";
      dirty_ = false;
      t.awaited.push_back({Command::rset, 0});
      t.following = Command::mail;
      return true;
    case Command::mail:
      group += mail_command();
      t.awaited.push_back({Command::mail, 0});
      t.following = Command::rcpt;
      return true;
    case Command::rcpt:
      while (t.next_rcpt < t.results.size() && t.results[t.next_rcpt]) ++t.next_rcpt;
      if (t.next_rcpt < t.results.size()) {
        group += rcpt_command(t.plan.recipients[t.next_rcpt]);
        t.awaited.push_back({Command::rcpt, t.next_rcpt++});
        return true;
      }
      t.following = Command::data;
      [[fallthrough]];
    case Command::data:
      // Behind answered recipients DATA needs one that was accepted; in a group it goes on trust
      // (RFC 2920 §3.1).
      if (t.awaited.empty() && accepted_count() == 0) return false;
      group += "DATA\r\n";
      t.awaited.push_back({Command::data, 0});
      t.following.reset();
      return true;
  }
  return false;
}

void ClientFsm::send_group() {
  // Both sides can write this much without reading (RFC 2920 §3.1).
  constexpr std::size_t most_bytes = 8'192;
  std::string group;
  do {
    if (!append_command(group)) break;
  } while (capabilities_.pipelining && group.size() < most_bytes);
  if (group.empty()) return end_transaction();
  const bool data_alone = transaction_->awaited.front().command == Command::data;
  send(std::move(group), data_alone ? Patience::data_start : Patience::command, State::envelope);
}

void ClientFsm::on_envelope(const Reply& reply) {
  auto& t = *transaction_;
  const auto awaited = t.awaited.front();
  t.awaited.pop_front();
  switch (awaited.command) {
    case Command::rset:
      if (!reply.positive()) return bad_sequence(reply);
      break;
    case Command::mail: on_mail(reply); break;
    case Command::rcpt: on_rcpt(awaited.recipient, reply); break;
    case Command::data: return on_data(reply);
  }
  if (state_ == State::envelope) step_envelope();
}

void ClientFsm::step_envelope() {
  auto& t = *transaction_;
  if (!t.awaited.empty()) return;
  if (!t.following || (!t.mail_ok && *t.following != Command::mail)) return end_transaction();
  send_group();
}

void ClientFsm::on_mail(const Reply& reply) {
  if (reply.intermediate()) return bad_sequence(reply);
  auto& t = *transaction_;
  t.mail_ok = reply.positive();
  dirty_ = t.mail_ok;
  if (!t.mail_ok) settle_all(reply, Voice::peer);
}

void ClientFsm::on_rcpt(std::size_t index, const Reply& reply) {
  auto& t = *transaction_;
  if (!t.mail_ok) return;  // pipelined behind a refused MAIL: settled already
  if (reply.intermediate()) return bad_sequence(reply);
  if (reply.positive()) {
    t.accepted[index] = true;
    return;
  }
  // RFC 5321 §4.5.3.1.10: 452, and 552 in its old sense, mean "not so many at once".
  const bool old_552 = reply.code == 552 && (!reply.enhanced.present() ||
                                             reply.enhanced == queue::EnhancedCode{5, 5, 3});
  if (reply.code == 452 || old_552) {
    return settle(index, reply, accepted_count() > 0 ? Kind::postponed : Kind::deferred,
                  Voice::peer);
  }
  settle(index, reply, kind_of(reply), Voice::peer);
}

void ClientFsm::on_data(const Reply& reply) {
  auto& t = *transaction_;
  if (reply.code == 354) {
    dirty_ = false;  // whatever comes of it, the transaction ends with the final dot
    if (accepted_count() > 0) {
      state_ = State::body;
      return;
    }
    // The server wants a message that nobody takes: an empty one (RFC 2920 §3.1).
    return send(".\r\n", Patience::data_end, State::body_end);
  }
  if (reply.positive() || reply.intermediate()) {
    if (accepted_count() > 0 || t.mail_ok) return bad_sequence(reply);
  }
  settle_all(reply, Voice::peer);
  end_transaction();
}

void ClientFsm::body_sent() {
  patience_ = Patience::data_end;
  state_ = State::body_end;
}

void ClientFsm::on_body_end(const Reply& reply) {
  if (reply.intermediate()) return bad_sequence(reply);
  settle_all(reply, Voice::peer);
  end_transaction();
}

std::size_t ClientFsm::accepted_count() const {
  return static_cast<std::size_t>(std::ranges::count(transaction_->accepted, true));
}

void ClientFsm::settle(std::size_t index, const Reply& reply, Kind kind, Voice voice) {
  AttemptResult result;
  result.recipient = transaction_->plan.recipients[index].number;
  result.kind = kind;
  result.reply = reply;
  if (voice == Voice::peer) result.remote_mta = options_.peer;
  if (capabilities_.dsn) result.peer_reports = AttemptResult::Reports::yes;
  transaction_->results[index] = std::move(result);
  transaction_->accepted[index] = false;
}

void ClientFsm::settle_all(const Reply& reply, Voice voice) {
  for (std::size_t i = 0; i < transaction_->results.size(); ++i) {
    if (!transaction_->results[i]) settle(i, reply, kind_of(reply), voice);
  }
}

void ClientFsm::end_transaction() {
  TransactionResult result;
  // Every path settles all recipients; one without a result would be tried again for ever.
  for (std::size_t i = 0; i < transaction_->results.size(); ++i) {
    if (!transaction_->results[i])
      settle(i, queue::make_reply(451, {4, 4, 2}, "the transaction ended early"), Kind::deferred,
             Voice::ours);
    result.recipients.push_back(std::move(*transaction_->results[i]));
  }
  transaction_.reset();
  result_ = std::move(result);
  state_ = State::idle;
}

}  // namespace postern::smtp::delivery
