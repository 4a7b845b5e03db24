// The memory that all messages being received may hold together. Reserved before octets are read;
// when it is spent the answer is 452 4.3.1, not an allocation.
//
// Thread-safe. A Reservation gives back what it holds when it dies; it keeps its budget alive.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

namespace postern::smtp {

class ByteBudget {
 public:
  explicit ByteBudget(std::size_t limit) : limit_(limit) {}

  [[nodiscard]] std::size_t used() const { return used_.load(std::memory_order_relaxed); }

  class Reservation {
   public:
    Reservation() = default;
    explicit Reservation(std::shared_ptr<ByteBudget> budget) : budget_(std::move(budget)) {}
    Reservation(Reservation&& other) noexcept
        : budget_(std::move(other.budget_)), held_(std::exchange(other.held_, 0)) {}
    Reservation& operator=(Reservation&& other) noexcept {
      std::swap(budget_, other.budget_);
      std::swap(held_, other.held_);
      return *this;
    }
    ~Reservation() {
      if (budget_) budget_->give_back(held_);
    }

    /// Holds at least `bytes` from now on; false: the budget hasn't got them, nothing changed.
    bool grow_to(std::size_t bytes) {
      if (bytes <= held_ || !budget_) return true;
      if (!budget_->take(bytes - held_)) return false;
      held_ = bytes;
      return true;
    }
    [[nodiscard]] std::size_t held() const { return held_; }

   private:
    std::shared_ptr<ByteBudget> budget_;
    std::size_t held_ = 0;
  };

 private:
  bool take(std::size_t bytes) {
    std::size_t used = used_.load(std::memory_order_relaxed);
    do {
      if (bytes > limit_ - used) return false;
    } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
    return true;
  }
  void give_back(std::size_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }

  const std::size_t limit_;
  std::atomic<std::size_t> used_{0};
};

}  // namespace postern::smtp
