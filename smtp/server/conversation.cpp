#include "smtp/server/conversation.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <algorithm>

#include "core/ascii.hpp"
#include "core/log.hpp"
#include "smtp/server/dispatch.hpp"
#include "smtp/server/handlers.hpp"
#include "smtp/server/server_metrics.hpp"

namespace postern::smtp {

namespace {

// Replies to pipelined commands wait in the output; beyond this they are written anyway.
constexpr std::size_t kOutputHighWater = 16384;

// Whatever the settings say: a line has to fit the input buffer, with its CRLF and one more octet.
constexpr std::size_t kLongestLine = InputBuffer::kCapacity - 3;

Reply line_fault_reply(Fault fault) {
  if (fault == Fault::line_too_long) return {500, {5, 5, 2}, "Line too long", {}, Blame::client};
  return {500,
          {5, 5, 2},
          fmt::format("Line refused: {} received", to_string(fault)),
          {},
          Blame::client};
}

void wipe(std::string_view text) { OPENSSL_cleanse(const_cast<char*>(text.data()), text.size()); }

}  // namespace

Conversation::Conversation(std::shared_ptr<const ServerConfig> config, SessionInfo info)
    : config_(std::move(config)), info_(std::move(info)) {}

Conversation::~Conversation() { reset_transaction(); }

void Conversation::greet() {
  answer({220, {}, fmt::format("{} ESMTP Postern", config_->hostname)});
}

void Conversation::early_talk() {
  ++connection_.errors;
  if (config_->early_talk == EarlyTalk::refused) {
    finish({554, {}, "You spoke before the greeting", "early talker", Blame::client});
  } else {
    greet();
  }
}

Action Conversation::answer(const Reply& reply) {
  server_metrics::reply(reply.code);
  if (reply.code >= 400 && log::enabled(log::Level::debug)) {
    log::debug("smtp.refused", {{"session", info_.id},
                                {"code", reply.code},
                                {"text", reply.text},
                                {"cause", reply.cause}});
  }
  if (reply.blame == Blame::server) {
    log::warn("smtp.server_error", {{"session", info_.id},
                                    {"code", reply.code},
                                    {"text", reply.text},
                                    {"cause", reply.cause}});
  }
  append_reply(output_, reply);
  return Action::again;
}

Action Conversation::reject(Reply reply) {
  if (reply.permanent() && ++connection_.errors > limits().errors) {
    return finish({421, {4, 7, 0}, "Too many errors", "error limit", Blame::client});
  }
  return answer(reply);
}

Action Conversation::finish(const Reply& reply) {
  answer(reply);
  mode_ = Mode::closing;
  return Action::again;
}

void Conversation::reset_transaction() {
  transaction_.sink.reset();  // it may still look at the envelope
  transaction_ = {};
}

std::string Conversation::take_output() { return std::exchange(output_, {}); }

bool Conversation::at_rest() const {
  return mode_ == Mode::command && !transaction_.open && input_.empty();
}

bool Conversation::receiving() const {
  return transaction_.transfer != Transaction::Transfer::none;
}

bool Conversation::login_allowed() const {
  if (info_.tls.active()) return true;
  return config_->plaintext_login == PlaintextLogin::on_loopback &&
         info_.local.address().is_loopback();
}

void Conversation::drain() { connection_.draining = true; }

void Conversation::timed_out() {
  finish({421, {4, 4, 2}, fmt::format("{} timeout", config_->hostname), "timeout", Blame::client});
}

Action Conversation::next() {
  for (;;) {
    const Action action = pause_due_ ? Action::pause : step();
    // A pause comes before the reply that it delays; the flush that reply asked for comes later.
    if (std::exchange(pause_due_, false)) return Action::pause;
    if (action != Action::again) return action;
    if (output_.size() > kOutputHighWater) return Action::flush;
  }
}

Action Conversation::step() {
  switch (mode_) {
    case Mode::command:
      if (connection_.draining && !transaction_.open) {
        return finish({421, {4, 3, 2}, fmt::format("{} is going down", config_->hostname)});
      }
      return line_step();
    case Mode::sasl: return line_step();
    case Mode::data: return data_step();
    case Mode::chunk: return chunk_step();
    case Mode::closing: return Action::close;
  }
  return Action::close;
}

Action Conversation::line_step() {
  if (input_.empty()) return Action::need_input;
  const auto pending = input_.pending();
  const std::string_view text(pending.data(), pending.size());
  const bool auth = mode_ == Mode::sasl || ascii::istarts_with(text, "AUTH ");
  const auto limit = std::min(auth ? limits().auth_line : limits().command_line, kLongestLine);
  const auto result = lines_.next(text, limit);
  input_.consume(result.consumed);
  switch (result.status) {
    case LineDecoder::Status::need_more:
      return result.consumed > 0 ? Action::again : Action::need_input;
    case LineDecoder::Status::fault: return line_fault(result);
    case LineDecoder::Status::line: break;
  }
  const Action action = take_line(result.text);
  if (auth) wipe(result.text);
  return action;
}

Action Conversation::take_line(std::string_view line) {
  if (mode_ == Mode::command) return dispatch(*this, line);
  mode_ = Mode::command;
  return handle_sasl_line(*this, line);
}

Action Conversation::line_fault(const LineDecoder::Result& result) {
  Reply reply = line_fault_reply(result.fault);
  const bool auth = mode_ == Mode::sasl || ascii::istarts_with(result.text, "AUTH ");
  if (auth && result.fault == Fault::line_too_long) reply.status = {5, 5, 6};  // RFC 4954 §4
  if (mode_ == Mode::sasl) {
    sasl_ = {};
    mode_ = Mode::command;
  }
  // What follows is a chunk of unknown length: it would be run as commands.
  if (ascii::istarts_with(result.text, "BDAT")) return finish(reply);
  reject(std::move(reply));
  return Action::flush;
}

Action Conversation::expect_sasl() {
  mode_ = Mode::sasl;
  return Action::flush;
}

void Conversation::tls_started(TlsInfo tls) {
  // Nothing that came before the handshake counts after it (RFC 3207 §4.2).
  input_.wipe();
  lines_ = {};
  reset_transaction();
  sasl_ = {};
  info_.hello = {};
  info_.identity.reset();
  info_.tls = std::move(tls);
}

void Conversation::authenticated(Outcome<Identity> outcome) {
  OPENSSL_cleanse(sasl_.credentials.password.data(), sasl_.credentials.password.size());
  const std::string login = std::move(sasl_.credentials.login);
  sasl_ = {};
  if (outcome) {
    server_metrics::login(server_metrics::Outcome::accepted);
    log::info("smtp.login", {{"session", info_.id}, {"login", login}});
    info_.identity = std::move(*outcome);
    connection_.auth_failures = 0;
    answer({235, {2, 7, 0}, "Authentication successful"});
    return;
  }
  server_metrics::login(server_metrics::Outcome::refused);
  // Not the name: it may be a password in the wrong field.
  log::info("smtp.login_refused", {{"session", info_.id},
                                   {"remote", info_.remote.address().to_string()},
                                   {"code", outcome.error().code},
                                   {"cause", outcome.error().cause}});
  if (outcome.error().blame == Blame::server) {
    reject(std::move(outcome.error()));
    return;
  }
  // Every further guess waits twice as long; the exponent is bounded by auth_failures' own limit.
  const auto doublings = std::min<std::size_t>(connection_.auth_failures, 5);
  pause_ = limits().auth_delay * (1U << doublings);
  pause_due_ = pause_.count() > 0;
  if (++connection_.auth_failures > limits().auth_failures) {
    finish({421, {4, 7, 0}, "Too many failed logins", "login limit", Blame::client});
  } else {
    reject(std::move(outcome.error()));
  }
}

void Conversation::sender_checked(Outcome<> outcome) {
  if (!outcome) {
    reset_transaction();
    reject(std::move(outcome.error()));
    return;
  }
  transaction_.open = true;
  answer({250, {2, 1, 0}, "Sender ok"});
}

void Conversation::recipient_checked(Outcome<> outcome) {
  if (!outcome) {
    transaction_.candidate = {};
    reject(std::move(outcome.error()));
    return;
  }
  transaction_.envelope.recipients.push_back(std::exchange(transaction_.candidate, {}));
  answer({250, {2, 1, 5}, "Recipient ok"});
}

}  // namespace postern::smtp
