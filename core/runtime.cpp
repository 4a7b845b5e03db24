#include "core/runtime.hpp"

#include <pthread.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <latch>
#include <mutex>
#include <string>

#include "core/log.hpp"

namespace postern {

namespace {
// An io_context whose pending work can be destroyed while the objects that use it still live.
class Context : public asio::io_context {
 public:
  Context() : asio::io_context(1), work_(get_executor()) {}
  void finish() {
    work_.reset();
    shutdown();
  }

 private:
  asio::executor_work_guard<asio::io_context::executor_type> work_;
};

struct Place {
  const void* runtime = nullptr;
  std::size_t index = 0;
};
thread_local Place place;
}  // namespace

struct Runtime::Impl {
  std::vector<std::unique_ptr<Context>> contexts;
  std::vector<std::thread> threads;
  std::mutex mutex;  // start, stop and on_each exclude each other
  bool stopped = false;

  void serve(std::size_t index) {
    place = {this, index};
    ::pthread_setname_np(::pthread_self(), ("io-" + std::to_string(index)).c_str());
    // Sessions catch their own exceptions; one that gets here is a bug of a handler, which costs
    // that handler and not the thread with all its sessions.
    for (;;) {
      try {
        contexts[index]->run();
        return;
      } catch (const std::exception& e) {
        log::error("io_thread_exception", {{"thread", index}, {"what", e.what()}});
      }
    }
  }
};

Runtime::Runtime(std::size_t threads) : impl_(std::make_unique<Impl>()) {
  for (std::size_t i = 0; i < std::max<std::size_t>(threads, 1); ++i) {
    impl_->contexts.push_back(std::make_unique<Context>());
  }
}

Runtime::~Runtime() { stop(); }

std::size_t Runtime::size() const { return impl_->contexts.size(); }

asio::io_context& Runtime::context(std::size_t index) { return *impl_->contexts.at(index); }

std::size_t Runtime::current() const {
  return place.runtime == impl_.get() ? place.index : impl_->contexts.size();
}

void Runtime::start() {
  std::scoped_lock lock(impl_->mutex);
  if (impl_->stopped || !impl_->threads.empty()) return;
  for (std::size_t i = 0; i < impl_->contexts.size(); ++i) {
    impl_->threads.emplace_back(&Impl::serve, impl_.get(), i);
  }
}

void Runtime::on_each(const std::function<void(std::size_t)>& fn) {
  std::scoped_lock lock(impl_->mutex);
  const std::size_t count = impl_->contexts.size();
  if (impl_->threads.empty()) {
    for (std::size_t i = 0; i < count; ++i) fn(i);
    return;
  }
  std::latch done(static_cast<std::ptrdiff_t>(count));
  std::vector<std::exception_ptr> errors(count);
  for (std::size_t i = 0; i < count; ++i) {
    asio::post(*impl_->contexts[i], [&fn, &done, &errors, i] {
      try {
        fn(i);
      } catch (...) {
        errors[i] = std::current_exception();
      }
      done.count_down();
    });
  }
  done.wait();
  for (const auto& error : errors) {
    if (error) std::rethrow_exception(error);
  }
}

void Runtime::stop() {
  std::scoped_lock lock(impl_->mutex);
  if (impl_->stopped) return;
  impl_->stopped = true;
  for (auto& context : impl_->contexts) context->stop();
  for (auto& thread : impl_->threads) thread.join();
  impl_->threads.clear();
  for (auto& context : impl_->contexts) context->finish();
}

}  // namespace postern
