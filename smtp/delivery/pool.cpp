#include "smtp/delivery/pool.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

namespace postern::smtp::delivery {

namespace {
constexpr std::size_t kLeastPerHost = 4;

Task<void> say_goodbye(std::shared_ptr<Connection> connection) { co_await connection->quit(); }
}  // namespace

Pool::Pool(const DeliverySettings& settings, std::size_t threads)
    : settings_(&settings), per_host_(std::max(kLeastPerHost, settings.idle_per_host / threads)) {}

void Pool::dismiss(std::shared_ptr<Connection> connection) {
  if (!connection->ready()) return connection->close();
  auto executor = connection->executor();
  asio::co_spawn(executor, say_goodbye(std::move(connection)), asio::detached);
}

std::shared_ptr<Connection> Pool::take(const Hop& hop) {
  for (auto at = idle_.rbegin(); at != idle_.rend(); ++at) {
    if (at->connection->hop() != hop) continue;
    auto connection = std::move(at->connection);
    idle_.erase(std::next(at).base());
    return connection;
  }
  return nullptr;
}

void Pool::put(std::shared_ptr<Connection> connection) {
  std::size_t most = settings_->messages_per_connection;
  if (connection->max_messages() > 0)
    most = std::min<std::size_t>(most, connection->max_messages());
  const auto same = std::ranges::count_if(
      idle_, [&](const Idle& one) { return one.connection->hop() == connection->hop(); });
  const bool keep = connection->ready() && connection->messages() < most &&
                    static_cast<std::size_t>(same) < per_host_ && settings_->idle_total > 0;
  if (!keep) return dismiss(std::move(connection));
  if (idle_.size() >= settings_->idle_total) {
    dismiss(std::move(idle_.front().connection));
    idle_.pop_front();
  }
  idle_.push_back({std::move(connection), std::chrono::steady_clock::now()});
}

void Pool::sweep() {
  const auto oldest = std::chrono::steady_clock::now() - settings_->idle_connection;
  while (!idle_.empty() && idle_.front().since <= oldest) {
    dismiss(std::move(idle_.front().connection));
    idle_.pop_front();
  }
}

void Pool::clear() {
  while (!idle_.empty()) {
    dismiss(std::move(idle_.front().connection));
    idle_.pop_front();
  }
}

}  // namespace postern::smtp::delivery
