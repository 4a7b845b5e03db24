// Accepts on one socket on one io thread until stopped. Used by Listener and LocalListener.
//
// Life: shared with its own pending handlers. start() and stop() from any thread; all else happens
// on the acceptor's thread. When descriptors or memory run out it pauses and goes on: connections
// wait in the kernel's backlog meanwhile.
#pragma once

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "core/log.hpp"
#include "core/task.hpp"

namespace postern {

template <class Protocol>
class AcceptLoop : public std::enable_shared_from_this<AcceptLoop<Protocol>> {
 public:
  using Acceptor = typename Protocol::acceptor;
  using Socket = typename Protocol::socket;

  AcceptLoop(Acceptor acceptor, std::string name, std::function<void(Socket)> on_accept)
      : acceptor_(std::move(acceptor)),
        pause_(acceptor_.get_executor()),
        name_(std::move(name)),
        on_accept_(std::move(on_accept)) {}

  void start() {
    asio::post(acceptor_.get_executor(),
               [self = this->shared_from_this()] { self->accept_next(); });
  }

  void stop() {
    asio::post(acceptor_.get_executor(), [self = this->shared_from_this()] {
      boost::system::error_code ignored;
      self->acceptor_.close(ignored);
      self->pause_.cancel();
      self->on_accept_ = nullptr;
    });
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kPause{100};
  static constexpr std::chrono::seconds kLogEvery{10};

  void accept_next() {
    if (!acceptor_.is_open()) return;
    acceptor_.async_accept(
        [self = this->shared_from_this()](const boost::system::error_code& ec, Socket socket) {
          if (!self->acceptor_.is_open()) return;
          if (ec) return self->recover(ec);
          self->hand_over(std::move(socket));
          self->accept_next();
        });
  }

  void hand_over(Socket socket) {
    try {
      on_accept_(std::move(socket));
    } catch (const std::exception& e) {
      log::error("accept_failed", {{"listener", name_}, {"what", e.what()}});
    }
  }

  void recover(const boost::system::error_code& ec) {
    // A peer that left before it was accepted is nobody's trouble.
    if (ec == asio::error::connection_aborted) return accept_next();
    if (const auto now = Clock::now(); now - logged_ >= kLogEvery) {
      logged_ = now;
      log::warn("accept_paused", {{"listener", name_}, {"error", ec.message()}});
    }
    pause_.expires_after(kPause);
    pause_.async_wait([self = this->shared_from_this()](const boost::system::error_code&) {
      self->accept_next();
    });
  }

  Acceptor acceptor_;
  asio::steady_timer pause_;
  std::string name_;
  std::function<void(Socket)> on_accept_;
  Clock::time_point logged_ = Clock::now() - kLogEvery;
};

}  // namespace postern
