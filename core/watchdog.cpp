#include "core/watchdog.hpp"

#include <utility>

namespace postern {

namespace {
using SteadyClock = std::chrono::steady_clock;
constexpr auto kNever = SteadyClock::time_point::max();
}  // namespace

struct Watchdog::State : std::enable_shared_from_this<Watchdog::State> {
  State(const Executor& executor, std::function<void()> action)
      : timer(executor), on_expiry(std::move(action)) {}

  asio::steady_timer timer;
  std::function<void()> on_expiry;  // empty once it ran, or after stop()
  SteadyClock::time_point deadline = kNever;
  SteadyClock::time_point wakes = kNever;  // when the timer's pending wait ends
  bool expired = false;

  void sleep() {
    wakes = deadline;
    timer.expires_at(deadline);
    // Weak: a pending timer keeps no session alive.
    timer.async_wait([weak = weak_from_this()](const boost::system::error_code& ec) {
      if (ec) return;
      if (const auto self = weak.lock()) self->wake();
    });
  }

  void wake() {
    wakes = kNever;
    if (!on_expiry || deadline == kNever) return;
    if (SteadyClock::now() < deadline) return sleep();
    expired = true;
    std::exchange(on_expiry, nullptr)();
  }
};

Watchdog::Watchdog(Executor executor, std::function<void()> on_expiry)
    : state_(std::make_shared<State>(executor, std::move(on_expiry))) {}

Watchdog::~Watchdog() { stop(); }

void Watchdog::arm(std::chrono::milliseconds after) {
  if (!state_->on_expiry) return;
  state_->deadline = SteadyClock::now() + after;
  if (state_->deadline < state_->wakes) state_->sleep();
}

void Watchdog::disarm() { state_->deadline = kNever; }

void Watchdog::stop() {
  state_->on_expiry = nullptr;
  state_->deadline = kNever;
  state_->wakes = kNever;
  state_->timer.cancel();
}

bool Watchdog::expired() const { return state_->expired; }

}  // namespace postern
