#include "smtp/delivery/connection.hpp"

#include "smtp/delivery/dot_stuffer.hpp"

namespace postern::smtp::delivery {

Connection::Connection(std::unique_ptr<Stream> stream, Hop hop, ClientFsm::Options options,
                       Timeouts timeouts, std::shared_ptr<const tls::Context> tls)
    : stream_(std::move(stream)),
      hop_(std::move(hop)),
      timeouts_(timeouts),
      tls_(std::move(tls)),
      fsm_(std::move(options)),
      watchdog_(stream_->executor(), [this] { stream_->close(); }) {}

std::chrono::milliseconds Connection::limit(ClientFsm::Patience patience) const {
  switch (patience) {
    case ClientFsm::Patience::greeting: return timeouts_.greeting;
    case ClientFsm::Patience::command: return timeouts_.command;
    case ClientFsm::Patience::data_start: return timeouts_.data_start;
    case ClientFsm::Patience::data_block: return timeouts_.data_block;
    case ClientFsm::Patience::data_end: return timeouts_.data_end;
    case ClientFsm::Patience::quit: return timeouts_.quit;
  }
  return timeouts_.command;
}

queue::Reply Connection::error() const {
  return fsm_.error().value_or(queue::make_reply(451, {4, 4, 2}, "the connection was lost"));
}

void Connection::broken(const Error& error) {
  fsm_.eof(watchdog_.expired() ? "the server took too long"
                               : "the connection was lost: " + error.message);
}

Task<void> Connection::drive() {
  for (;;) {
    auto action = fsm_.next();
    if (action.what == ClientFsm::Do::idle || action.what == ClientFsm::Do::close) {
      ready_ = action.what == ClientFsm::Do::idle;
      watchdog_.disarm();
      if (!ready_) stream_->close();
      co_return;
    }
    watchdog_.arm(limit(action.patience));
    switch (action.what) {
      case ClientFsm::Do::send: co_await do_send(std::move(action.bytes)); break;
      case ClientFsm::Do::read: co_await do_read(); break;
      case ClientFsm::Do::start_tls: co_await do_handshake(); break;
      default: co_await do_body(); break;
    }
  }
}

Task<void> Connection::do_send(std::string bytes) {
  const auto sent = co_await stream_->write_all(bytes);
  if (!sent) broken(sent.error());
}

Task<void> Connection::do_read() {
  const auto got = co_await stream_->read_some(buffer_);
  if (!got) {
    broken(got.error());
  } else if (*got == 0) {
    fsm_.eof("the server closed the connection");
  } else {
    fsm_.feed(std::string_view(buffer_.data(), *got));
  }
}

Task<void> Connection::do_handshake() {
  const auto done = co_await stream_->start_tls_client(tls_, hop_.host);
  if (done) {
    fsm_.tls_started();
    co_return;
  }
  fsm_.eof("the TLS handshake failed: " + done.error().message);
}

// The final dot goes out with the last piece: a segment of its own would cost both sides one more.
Task<void> Connection::do_body() {
  DotStuffer stuffer;
  std::uint64_t offset = 0;
  do {
    std::string text;
    if (offset < body_->size()) {
      const auto piece = co_await body_->read(offset, kBodyChunk);
      if (!piece || piece->empty()) {
        co_return fsm_.eof(piece ? "the stored body is too short"
                                 : "the stored body can't be read: " + piece.error().message);
      }
      offset += piece->size();
      auto stuffed = stuffer.feed(*piece);
      if (!stuffed) co_return fsm_.eof(stuffed.error().message);
      text = std::move(*stuffed);
    }
    if (offset == body_->size()) {
      const auto end = stuffer.finish();
      if (!end) co_return fsm_.eof(end.error().message);
      text += *end;
    }
    watchdog_.arm(timeouts_.data_block);
    const auto sent = co_await stream_->write_all(text);
    if (!sent) co_return broken(sent.error());
  } while (offset < body_->size());
  fsm_.body_sent();
}

Task<bool> Connection::greet() {
  co_await drive();
  co_return ready_;
}

Task<TransactionResult> Connection::transact(TransactionPlan plan,
                                             std::shared_ptr<BodySource> body) {
  ++messages_;
  body_ = std::move(body);
  ready_ = false;
  fsm_.begin(std::move(plan));
  co_await drive();
  body_.reset();
  auto result = fsm_.take_result();
  co_return std::move(result).value_or(TransactionResult{});
}

Task<void> Connection::quit() {
  ready_ = false;
  fsm_.quit();
  co_await drive();
  stream_->close();
}

void Connection::close() { stream_->close(); }

}  // namespace postern::smtp::delivery
