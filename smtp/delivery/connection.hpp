// One connection to a mail server: ClientFsm driven over a Stream, under one watchdog.
//
// Owner: one attempt, or the pool while idle; one io thread. Not used again after it failed.
#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <optional>

#include "core/stream.hpp"
#include "core/task.hpp"
#include "core/watchdog.hpp"
#include "smtp/delivery/body_source.hpp"
#include "smtp/delivery/client_fsm.hpp"
#include "smtp/delivery/route.hpp"
#include "smtp/delivery/settings.hpp"

namespace postern::smtp::delivery {

class Connection {
 public:
  Connection(std::unique_ptr<Stream> stream, Hop hop, ClientFsm::Options options, Timeouts timeouts,
             std::shared_ptr<const tls::Context> tls);

  /// Greeting, EHLO, STARTTLS. True when it is ready for transactions; else error().
  Task<bool> greet();
  /// A result for each recipient of the plan, whatever happens.
  Task<TransactionResult> transact(TransactionPlan plan, std::shared_ptr<BodySource> body);
  /// Says QUIT, waits shortly, closes.
  Task<void> quit();
  /// At once; a transaction under way ends as deferred.
  void close();

  [[nodiscard]] bool ready() const { return ready_; }
  [[nodiscard]] bool handshake_failed() const { return fsm_.tls_failed(); }
  [[nodiscard]] bool heard() const { return fsm_.heard_in_transaction(); }
  [[nodiscard]] queue::Reply error() const;
  [[nodiscard]] const Hop& hop() const { return hop_; }
  [[nodiscard]] std::size_t messages() const { return messages_; }
  [[nodiscard]] std::uint32_t max_messages() const { return fsm_.capabilities().max_messages; }
  [[nodiscard]] Executor executor() const { return stream_->executor(); }

 private:
  Task<void> drive();
  Task<void> do_send(std::string bytes);
  Task<void> do_read();
  Task<void> do_handshake();
  Task<void> do_body();
  [[nodiscard]] std::chrono::milliseconds limit(ClientFsm::Patience patience) const;
  void broken(const Error& error);

  std::unique_ptr<Stream> stream_;
  Hop hop_;
  Timeouts timeouts_;
  std::shared_ptr<const tls::Context> tls_;
  ClientFsm fsm_;
  Watchdog watchdog_;
  std::shared_ptr<BodySource> body_;
  std::array<char, 4096> buffer_{};
  std::size_t messages_ = 0;
  bool ready_ = false;
};

}  // namespace postern::smtp::delivery
