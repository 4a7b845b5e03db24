#include "accounts/password.hpp"

#include <condition_variable>
#include <mutex>
#include <new>

#include "core/crypto.hpp"
#include "core/metrics.hpp"
#include "core/worker_pool.hpp"

namespace postern::accounts {

namespace {

metrics::Counter& refusals() {
  static metrics::Counter counter("postern_argon2_refused_total",
                                  "Password checks refused because the pool's queue was full");
  return counter;
}

/// Memory that all runs may take together; a worker waits for its share. One run may always go,
/// whatever it takes.
class MemoryBudget {
 public:
  explicit MemoryBudget(std::uint64_t limit) : limit_(limit) {}

  void take(std::uint64_t bytes) {
    std::unique_lock lock(mutex_);
    freed_.wait(lock, [&] { return used_ == 0 || used_ + bytes <= limit_; });
    used_ += bytes;
  }
  void give_back(std::uint64_t bytes) {
    {
      std::scoped_lock lock(mutex_);
      used_ -= bytes;
    }
    freed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable freed_;
  std::uint64_t limit_;
  std::uint64_t used_ = 0;
};

/// A share of the budget for one run.
class Share {
 public:
  Share(MemoryBudget& budget, Argon2Parameters parameters)
      : budget_(&budget), bytes_(std::uint64_t{parameters.memory_kib} << 10) {
    budget_->take(bytes_);
  }
  ~Share() { budget_->give_back(bytes_); }
  Share(const Share&) = delete;
  Share& operator=(const Share&) = delete;

 private:
  MemoryBudget* budget_;
  std::uint64_t bytes_;
};

}  // namespace

struct PasswordPool::Impl {
  explicit Impl(const PasswordPoolOptions& options)
      : parameters(options.parameters),
        budget(options.memory_limit),
        workers("argon2", options.threads, options.queue_limit) {}

  Argon2Parameters current() const {
    std::scoped_lock lock(mutex);
    return parameters;
  }

  Result<std::string> hash(const std::string& password) {
    const auto now = current();
    const Share share(budget, now);
    auto phc = argon2_hash(password, now);
    if (phc.empty()) return fail(Errc::invalid, "the password can't be hashed");
    return phc;
  }

  Result<bool> verify(const std::string& password, const std::string& phc) {
    const auto stored = argon2_parameters(phc);
    if (!stored) return dummy(password);  // a damaged row costs what any other does
    const Share share(budget, *stored);
    return argon2_verify(password, phc);
  }

  Result<bool> dummy(const std::string& password) {
    const auto now = current();
    const Share share(budget, now);
    static_cast<void>(argon2_hash(password, now));
    return false;
  }

  mutable std::mutex mutex;
  Argon2Parameters parameters;
  MemoryBudget budget;
  WorkerPool workers;  // last: its threads end before what they use
};

namespace {

/// Runs a job that may run out of memory; the password is wiped after it.
template <class T, class Work>
std::move_only_function<Result<T>()> guarded(std::string password, Work work) {
  return [password = std::move(password), work = std::move(work)]() mutable -> Result<T> {
    Result<T> outcome = fail(Errc::overloaded, "no memory for Argon2");
    try {
      outcome = work(password);
    } catch (const std::bad_alloc&) {
      refusals().add();
    }
    crypto::wipe(password);
    return outcome;
  };
}

template <class T>
Result<T> counted(Result<T> outcome) {
  if (!outcome && outcome.error().code == Errc::overloaded) refusals().add();
  return outcome;
}

}  // namespace

PasswordPool::PasswordPool(PasswordPoolOptions options) : impl_(std::make_unique<Impl>(options)) {}
PasswordPool::~PasswordPool() = default;

Task<Result<std::string>> PasswordPool::hash(std::string password) {
  auto* impl = impl_.get();
  auto job = guarded<std::string>(std::move(password),
                                  [impl](const std::string& p) { return impl->hash(p); });
  auto outcome = co_await impl->workers.run<std::string>(std::move(job));
  co_return counted(std::move(outcome));
}

Task<Result<bool>> PasswordPool::verify(std::string password, std::string phc) {
  auto* impl = impl_.get();
  auto job = guarded<bool>(std::move(password), [impl, phc = std::move(phc)](const std::string& p) {
    return impl->verify(p, phc);
  });
  auto outcome = co_await impl->workers.run<bool>(std::move(job));
  co_return counted(std::move(outcome));
}

Task<Result<bool>> PasswordPool::verify_dummy(std::string password) {
  auto* impl = impl_.get();
  auto job =
      guarded<bool>(std::move(password), [impl](const std::string& p) { return impl->dummy(p); });
  auto outcome = co_await impl->workers.run<bool>(std::move(job));
  co_return counted(std::move(outcome));
}

bool PasswordPool::is_outdated(std::string_view phc) const {
  const auto stored = argon2_parameters(phc);
  return !stored || *stored != impl_->current();
}

void PasswordPool::set_parameters(Argon2Parameters parameters) {
  std::scoped_lock lock(impl_->mutex);
  impl_->parameters = parameters;
}

}  // namespace postern::accounts
