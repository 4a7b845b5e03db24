#include "core/worker_pool.hpp"

#include <pthread.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "core/log.hpp"

namespace postern {

struct WorkerPool::Impl {
  std::string name;
  std::size_t queue_limit = 0;
  std::mutex mutex;
  std::condition_variable ready;
  std::deque<std::move_only_function<void()>> queue;
  bool stopping = false;
  std::vector<std::thread> threads;

  void work(std::size_t index) {
    constexpr std::size_t kMaxThreadName = 15;
    const auto thread_name = (name + "-" + std::to_string(index)).substr(0, kMaxThreadName);
    ::pthread_setname_np(::pthread_self(), thread_name.c_str());
    while (auto job = next()) {
      try {
        job();
      } catch (const std::exception& e) {
        log::error("worker_exception", {{"pool", name}, {"what", e.what()}});
      }
    }
  }

  std::move_only_function<void()> next() {
    std::unique_lock lock(mutex);
    ready.wait(lock, [this] { return stopping || !queue.empty(); });
    if (queue.empty()) return nullptr;
    auto job = std::move(queue.front());
    queue.pop_front();
    return job;
  }
};

WorkerPool::WorkerPool(std::string name, std::size_t threads, std::size_t queue_limit)
    : impl_(std::make_unique<Impl>()) {
  impl_->name = std::move(name);
  impl_->queue_limit = queue_limit;
  for (std::size_t i = 0; i < std::max<std::size_t>(threads, 1); ++i) {
    impl_->threads.emplace_back(&Impl::work, impl_.get(), i);
  }
}

WorkerPool::~WorkerPool() {
  {
    std::scoped_lock lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->ready.notify_all();
  for (auto& thread : impl_->threads) thread.join();
}

bool WorkerPool::submit(std::move_only_function<void()> job) {
  {
    std::scoped_lock lock(impl_->mutex);
    if (impl_->stopping || impl_->queue.size() >= impl_->queue_limit) return false;
    impl_->queue.push_back(std::move(job));
  }
  impl_->ready.notify_one();
  return true;
}

}  // namespace postern
