// A bounded pool of threads for work that blocks or burns CPU (Argon2, files), and the way back.
//
// `co_await pool.run(fn)` runs `fn` on a worker and resumes the caller on its own io thread. The
// queue has a bound; beyond it the answer is Errc::overloaded at once.
//
// Owner: the composition root. A pool dies after the Runtime was stopped and before it is
// destroyed: its last jobs still post to the io_contexts.
#pragma once

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "core/result.hpp"
#include "core/task.hpp"

namespace postern {

class WorkerPool {
 public:
  WorkerPool(std::string name, std::size_t threads, std::size_t queue_limit);
  ~WorkerPool();  ///< finishes what is queued, then joins
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// False when the queue is full (or the pool is stopping): `job` was not taken.
  bool submit(std::move_only_function<void()> job);

  template <class T>
  Task<Result<T>> run(std::move_only_function<Result<T>()> fn);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The bridge that every door off the io threads uses: `start` receives a completion to call once,
/// from any thread; the awaiting coroutine resumes on its own executor with the value.
template <class T, class Start>
Task<Result<T>> suspend_for(Start start) {
  // The executor is read here, before the hand-over, and keeps its io_context alive and running
  // until the completion has been posted back.
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Result<T>)>(
      [](auto handler, Start begin) {
        auto executor = asio::prefer(asio::get_associated_executor(handler),
                                     asio::execution::outstanding_work.tracked);
        begin(std::move_only_function<void(Result<T>)>([handler = std::move(handler),
                                                        executor](Result<T> value) mutable {
          asio::post(executor, [handler = std::move(handler), value = std::move(value)]() mutable {
            std::move(handler)(std::move(value));
          });
        }));
      },
      asio::use_awaitable, std::move(start));
}

template <class T>
Task<Result<T>> WorkerPool::run(std::move_only_function<Result<T>()> fn) {
  // `fn` and the completion are moved into the job; a full queue completes at once.
  struct Start {
    WorkerPool* pool;
    std::move_only_function<Result<T>()> fn;
    // An exception would leave the caller waiting for ever: it becomes the answer.
    static Result<T> guarded(std::move_only_function<Result<T>()>& work) {
      try {
        return work();
      } catch (const std::exception& e) {
        return fail(Errc::temporary, std::string("a worker failed: ") + e.what());
      }
    }
    void operator()(std::move_only_function<void(Result<T>)> done) {
      auto shared = std::make_shared<std::move_only_function<void(Result<T>)>>(std::move(done));
      const bool taken =
          pool->submit([work = std::move(fn), shared]() mutable { (*shared)(guarded(work)); });
      if (!taken) (*shared)(fail(Errc::overloaded, "the worker queue is full"));
    }
  };
  co_return co_await suspend_for<T>(Start{this, std::move(fn)});
}

}  // namespace postern
