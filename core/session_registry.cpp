#include "core/session_registry.hpp"

#include <fmt/format.h>

#include <boost/asio/post.hpp>
#include <list>
#include <mutex>

namespace postern {

struct SessionRegistry::Impl {
  explicit Impl(std::size_t most) : limit(most) {}
  const std::size_t limit;
  // The executor lies beside the weak pointer: locking that from another thread could make this
  // thread the one where the session's entry dies.
  struct Entry {
    std::weak_ptr<Guard::State> state;
    Executor executor;
  };
  mutable std::mutex mutex;
  std::list<Entry> sessions;
  std::atomic<bool> draining{false};
};

// A session's entry. It dies on the session's own thread, where on_drain is called too: whoever
// finds it alive there may call.
struct SessionRegistry::Guard::State {
  State(std::shared_ptr<Impl> registry, std::list<Impl::Entry>::iterator entry,
        std::function<void()> action)
      : impl(std::move(registry)), place(entry), on_drain(std::move(action)) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    std::scoped_lock lock(impl->mutex);
    impl->sessions.erase(place);
  }

  std::shared_ptr<Impl> impl;
  std::list<Impl::Entry>::iterator place;
  std::function<void()> on_drain;

  static void tell(const std::weak_ptr<State>& session, const Executor& executor) {
    asio::post(executor, [session] {
      if (const auto state = session.lock()) {
        if (auto action = std::exchange(state->on_drain, nullptr)) action();
      }
    });
  }
};

SessionRegistry::Guard::Guard(std::shared_ptr<State> state) : state_(std::move(state)) {}
SessionRegistry::Guard::Guard(Guard&&) noexcept = default;
SessionRegistry::Guard& SessionRegistry::Guard::operator=(Guard&&) noexcept = default;
SessionRegistry::Guard::~Guard() = default;

SessionRegistry::SessionRegistry(std::size_t limit) : impl_(std::make_shared<Impl>(limit)) {}

SessionRegistry::~SessionRegistry() = default;

Result<SessionRegistry::Guard> SessionRegistry::enter(Executor executor,
                                                      std::function<void()> on_drain) {
  std::shared_ptr<Guard::State> state;
  {
    std::scoped_lock lock(impl_->mutex);
    if (impl_->sessions.size() >= impl_->limit) {
      return fail(Errc::overloaded, fmt::format("{} sessions live already", impl_->limit));
    }
    const auto place =
        impl_->sessions.emplace(impl_->sessions.end(), std::weak_ptr<Guard::State>(), executor);
    state = std::make_shared<Guard::State>(impl_, place, std::move(on_drain));
    place->state = state;
  }
  if (impl_->draining.load()) Guard::State::tell(state, executor);
  return Guard(std::move(state));
}

std::size_t SessionRegistry::live() const {
  std::scoped_lock lock(impl_->mutex);
  return impl_->sessions.size();
}

void SessionRegistry::drain() {
  impl_->draining.store(true);
  std::list<Impl::Entry> told;
  {
    std::scoped_lock lock(impl_->mutex);
    told = impl_->sessions;
  }
  for (const auto& entry : told) Guard::State::tell(entry.state, entry.executor);
}

bool SessionRegistry::draining() const { return impl_->draining.load(); }

}  // namespace postern
