#include "smtp/delivery/client_fsm.hpp"

#include <utility>

namespace postern::smtp::delivery {

using queue::AttemptResult;
using queue::Reply;
using Kind = AttemptResult::Kind;

namespace {
Reply lost(const std::string& why) { return queue::make_reply(451, {4, 4, 2}, why); }
Reply nonsense(const std::string& why) { return queue::make_reply(451, {4, 5, 0}, why); }
}  // namespace

ClientFsm::ClientFsm(Options options) : options_(std::move(options)) {}

ClientFsm::Action ClientFsm::next() {
  if (!out_.empty()) return {Do::send, patience_, std::exchange(out_, {})};
  switch (state_) {
    case State::handshake: return {Do::start_tls, Patience::command, {}};
    case State::idle: return {Do::idle, Patience::command, {}};
    case State::body: return {Do::send_body, Patience::data_block, {}};
    case State::closed: return {Do::close, Patience::quit, {}};
    default: return {Do::read, patience_, {}};
  }
}

bool ClientFsm::expects_reply() const {
  switch (state_) {
    case State::handshake:
    case State::idle:
    case State::body:
    case State::closed: return false;
    default: return true;
  }
}

void ClientFsm::feed(std::string_view bytes) {
  while (!bytes.empty() && state_ != State::closed) {
    // Bytes behind the answer to STARTTLS may be an injection (RFC 3207 §6); anywhere else they are
    // no better.
    if (!expects_reply())
      return fail(nonsense("the server sent bytes before it was asked"), Voice::ours);
    auto reply = parser_.feed(bytes);
    if (!reply) return fail(nonsense(reply.error().message), Voice::ours);
    if (!*reply) return;
    take_reply(**reply);
  }
}

void ClientFsm::eof(const std::string& why) {
  if (state_ == State::quit) {
    state_ = State::closed;
    return;
  }
  fail(lost(why), Voice::ours);
}

void ClientFsm::send(std::string bytes, Patience patience, State state) {
  out_ += bytes;
  patience_ = patience;
  state_ = state;
}

void ClientFsm::take_reply(const Reply& reply) {
  if (reply.code == 421 && state_ != State::quit)
    return fail(reply, Voice::peer);  // RFC 5321 §4.2.1: it hangs up
  heard_ = true;
  switch (state_) {
    case State::greeting: return on_greeting(reply);
    case State::ehlo:
    case State::helo: return on_hello(reply);
    case State::starttls: return on_starttls(reply);
    case State::envelope: return on_envelope(reply);
    case State::body_end: return on_body_end(reply);
    case State::quit: state_ = State::closed; return;
    default: return;
  }
}

void ClientFsm::bad_sequence(const Reply& reply) {
  fail(nonsense("the server's answer makes no sense here: " + reply.one_line()), Voice::ours);
}

// --- hello ---

void ClientFsm::on_greeting(const Reply& reply) {
  if (!reply.positive()) return fail(reply, Voice::peer);
  send("EHLO " + options_.hostname + "\r\n", Patience::command, State::ehlo);
}

void ClientFsm::on_hello(const Reply& reply) {
  if (reply.positive()) {
    capabilities_ = state_ == State::ehlo ? parse_ehlo(parser_.lines()) : Capabilities{};
    return after_hello();
  }
  // RFC 5321 §3.2: a server that doesn't know EHLO is asked with HELO.
  if (state_ == State::ehlo && reply.permanent()) {
    return send("HELO " + options_.hostname + "\r\n", Patience::command, State::helo);
  }
  fail(reply, Voice::peer);
}

void ClientFsm::after_hello() {
  if (!tls_ && options_.tls != TlsPolicy::never) {
    if (capabilities_.starttls) return send("STARTTLS\r\n", Patience::command, State::starttls);
    if (options_.tls == TlsPolicy::required) {
      return fail(
          queue::make_reply(451, {4, 7, 4}, "TLS is required and the server doesn't offer it"),
          Voice::ours);
    }
  }
  state_ = State::idle;
}

void ClientFsm::on_starttls(const Reply& reply) {
  if (reply.code == 220) {
    state_ = State::handshake;
    return;
  }
  if (options_.tls == TlsPolicy::required) return fail(reply, Voice::peer);
  state_ = State::idle;  // opportunistic: in clear
}

void ClientFsm::tls_started() {
  tls_ = true;
  parser_.reset();
  capabilities_ = {};  // RFC 3207 §4.2: all that was said before is void
  send("EHLO " + options_.hostname + "\r\n", Patience::command, State::ehlo);
}

void ClientFsm::quit() {
  if (state_ == State::idle) send("QUIT\r\n", Patience::quit, State::quit);
}

std::optional<TransactionResult> ClientFsm::take_result() {
  return std::exchange(result_, std::nullopt);
}

void ClientFsm::fail(const Reply& reply, Voice voice) {
  error_ = reply;
  tls_failed_ = state_ == State::handshake;
  out_.clear();
  if (transaction_) {
    for (std::size_t i = 0; i < transaction_->results.size(); ++i) {
      if (!transaction_->results[i]) settle(i, reply, Kind::deferred, voice);
    }
    end_transaction();
  }
  state_ = State::closed;
}

}  // namespace postern::smtp::delivery
