#include "accounts/login_guard.hpp"

#include <algorithm>
#include <array>
#include <list>
#include <mutex>
#include <unordered_map>

#include "core/crypto.hpp"
#include "core/ip_address.hpp"
#include "core/random.hpp"
#include "core/rate_limiter.hpp"

namespace postern::accounts {

namespace {

/// Guesses told apart; of more a repeat may count again.
constexpr std::size_t kRemembered = 8;
/// More of a guess's HMAC would only take memory: a collision makes one guess free.
constexpr std::size_t kMacSize = 8;
using Mac = std::array<char, kMacSize>;

struct Count {
  std::string login;  ///< empty: the whole network
  std::string network;
  std::vector<Mac> guesses;  ///< the last different ones; of a pair alone
  std::uint32_t different = 0;
  std::uint32_t blocks = 0;
  Timestamp first{};                ///< the first guess of this window
  Timestamp blocked_until{};        ///< in the past: not blocked
  Timestamp succeeded{};            ///< the last success
  std::array<Timestamp, 2> told{};  ///< by Right: when it was last recorded
};

/// Counts by key, the least recently touched dropped when there are too many.
class Counts {
 public:
  explicit Counts(std::size_t limit) : limit_(limit) {}

  Count* find(const std::string& key) {
    const auto found = index_.find(key);
    if (found == index_.end()) return nullptr;
    order_.splice(order_.begin(), order_, found->second);
    return &found->second->second;
  }
  Count& get(const std::string& key) {
    if (auto* known = find(key)) return *known;
    if (index_.size() >= limit_) {
      index_.erase(order_.back().first);
      order_.pop_back();
    }
    order_.emplace_front(key, Count{});
    index_.emplace(key, order_.begin());
    return order_.front().second;
  }
  auto begin() { return order_.begin(); }
  auto end() { return order_.end(); }

 private:
  using Order = std::list<std::pair<std::string, Count>>;  // most recently touched first
  std::size_t limit_;
  Order order_;
  std::unordered_map<std::string, Order::iterator> index_;
};

Timestamp& told_of(Count& pair, LoginGuard::Right what) {
  return pair.told.at(static_cast<std::size_t>(what));
}

std::string pair_key(std::string_view login, const std::string& network) {
  return network + '\n' + std::string(login);
}

}  // namespace

struct LoginGuard::Impl {
  explicit Impl(const LoginLimits& given)
      : limits(given),
        key(random_bytes(crypto::kKeySize)),
        pairs(given.entries),
        networks(given.entries) {}

  const LoginLimits limits;
  const std::string key;
  mutable std::mutex mutex;
  mutable Counts pairs;
  mutable Counts networks;
  RateLimiter records{1};

  [[nodiscard]] Mac mac_of(std::string_view guess) const {
    const auto full = crypto::hmac_sha256(key, guess);
    Mac mac{};
    std::copy_n(full.begin(), mac.size(), mac.begin());
    return mac;
  }

  [[nodiscard]] bool is_known(const Count& pair, Timestamp now) const {
    return pair.succeeded != Timestamp{} && now - pair.succeeded < limits.known_for;
  }

  void begin_window(Count& count, Timestamp now) const {
    if (now - count.first <= limits.window) return;
    count.guesses.clear();
    count.different = count.blocks = 0;
    count.first = now;
  }

  /// Whether it wasn't made before.
  static bool remember(Count& pair, const Mac& guess) {
    if (std::ranges::find(pair.guesses, guess) != pair.guesses.end()) return false;
    if (pair.guesses.size() == kRemembered) pair.guesses.erase(pair.guesses.begin());
    pair.guesses.push_back(guess);
    return true;
  }

  /// One guess more; whether it is one too many.
  bool add(Count& count, std::uint32_t limit, Timestamp now) const {
    if (++count.different < limit) return false;
    Micros wait = limits.first_block;
    for (std::uint32_t n = 0; n < count.blocks && wait < limits.longest_block; ++n) wait *= 2;
    count.blocked_until = now + std::min(wait, limits.longest_block);
    ++count.blocks;
    count.different = 0;
    return true;
  }
};

LoginGuard::LoginGuard(const LoginLimits& limits) : impl_(std::make_unique<Impl>(limits)) {}
LoginGuard::~LoginGuard() = default;

std::optional<Timestamp> LoginGuard::blocked_until(std::string_view login,
                                                   const asio::ip::address& from, Timestamp now) {
  const auto network = network_of(from);
  std::scoped_lock lock(impl_->mutex);
  const auto* pair = impl_->pairs.find(pair_key(login, network));
  if (pair != nullptr && pair->blocked_until > now) return pair->blocked_until;
  if (pair != nullptr && impl_->is_known(*pair, now)) return std::nullopt;
  const auto* whole = impl_->networks.find(network);
  if (whole != nullptr && whole->blocked_until > now) return whole->blocked_until;
  return std::nullopt;
}

LoginGuard::Guess LoginGuard::failed(std::string_view login, const asio::ip::address& from,
                                     std::string_view guess, Timestamp now) {
  const auto network = network_of(from);
  const auto mac = impl_->mac_of(guess);
  std::scoped_lock lock(impl_->mutex);
  auto& pair = impl_->pairs.get(pair_key(login, network));
  pair.login = std::string(login);
  pair.network = network;
  const auto& limits = impl_->limits;
  impl_->begin_window(pair, now);
  Guess outcome;
  outcome.counted = Impl::remember(pair, mac);
  if (!outcome.counted) return outcome;
  const bool known = impl_->is_known(pair, now);
  outcome.login_blocked = impl_->add(pair, known ? limits.known_guesses : limits.guesses, now);
  auto& whole = impl_->networks.get(network);
  whole.network = network;
  impl_->begin_window(whole, now);
  outcome.network_blocked = impl_->add(whole, limits.network_guesses, now);
  return outcome;
}

void LoginGuard::succeeded(std::string_view login, const asio::ip::address& from, Timestamp now) {
  const auto network = network_of(from);
  std::scoped_lock lock(impl_->mutex);
  auto& pair = impl_->pairs.get(pair_key(login, network));
  pair.login = std::string(login);
  pair.network = network;
  pair.succeeded = now;
  // The guesses stay remembered: an old telephone goes on beside the desk that logs in.
  pair.different = pair.blocks = 0;
}

bool LoginGuard::tell(Right what, std::string_view login, const asio::ip::address& from,
                      Timestamp now, Micros interval) {
  const auto network = network_of(from);
  std::scoped_lock lock(impl_->mutex);
  auto& told = told_of(impl_->pairs.get(pair_key(login, network)), what);
  if (told != Timestamp{} && now - told < interval) return false;
  told = now;
  return true;
}

void LoginGuard::not_told(Right what, std::string_view login, const asio::ip::address& from) {
  std::scoped_lock lock(impl_->mutex);
  if (auto* pair = impl_->pairs.find(pair_key(login, network_of(from)))) told_of(*pair, what) = {};
}

bool LoginGuard::goes_on_record(const Guess& guess, Timestamp now) {
  if (guess.login_blocked || guess.network_blocked) return true;
  return guess.counted && impl_->records.admit("", impl_->limits.refusals_recorded, now).admitted;
}

std::vector<LoginGuard::Block> LoginGuard::blocks(Timestamp now) const {
  std::vector<Block> out;
  {
    std::scoped_lock lock(impl_->mutex);
    for (auto* counts : {&impl_->pairs, &impl_->networks}) {
      for (const auto& [key, count] : *counts) {
        if (count.blocked_until > now)
          out.push_back({count.login, count.network, count.blocked_until});
      }
    }
  }
  std::ranges::sort(out, std::ranges::greater{}, &Block::until);
  return out;
}

std::size_t LoginGuard::unblock(std::string_view login_or_network, Timestamp now) {
  std::size_t ended = 0;
  std::scoped_lock lock(impl_->mutex);
  for (auto* counts : {&impl_->pairs, &impl_->networks}) {
    for (auto& [key, count] : *counts) {
      if (count.blocked_until <= now) continue;
      if (count.login != login_or_network && count.network != login_or_network) continue;
      count.blocked_until = {};
      count.different = count.blocks = 0;
      count.guesses.clear();
      ++ended;
    }
  }
  return ended;
}

std::string network_of(const asio::ip::address& given) {
  const auto address = unmapped(given);
  if (address.is_v4()) return address.to_string();
  auto bytes = address.to_v6().to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), 0);
  return asio::ip::address_v6(bytes).to_string() + "/64";
}

}  // namespace postern::accounts
