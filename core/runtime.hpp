// The io threads: one io_context(1) per thread, each with its own listening sockets.
//
// Life: construct, add listeners, run(); stop_accepting() and drain() on SIGTERM. Sessions count
// themselves in with a SessionRegistry::Guard (session_registry.hpp), so that draining knows when
// none is left. Listeners, sessions, resolvers and pools die before the Runtime does.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "core/task.hpp"

namespace postern {

class Runtime {
 public:
  explicit Runtime(std::size_t threads);
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  [[nodiscard]] std::size_t size() const;
  asio::io_context& context(std::size_t index);
  /// The index of the io thread that is calling, or size() from any other thread.
  [[nodiscard]] std::size_t current() const;

  /// Starts the threads. Work posted before runs first.
  void start();
  /// Runs `fn` on every io thread and waits for all (never from an io thread: it would wait for
  /// itself). Before start() and after stop() it runs on the caller's thread. An exception of `fn`
  /// is rethrown.
  void on_each(const std::function<void(std::size_t index)>& fn);
  /// Stops the contexts, joins the threads, and destroys what was pending (suspended sessions too)
  /// on the caller's thread. Final; the contexts themselves live until the Runtime dies.
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace postern
