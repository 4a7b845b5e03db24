#include "web/access/ceremonies.hpp"

#include "accounts/factors/webauthn.hpp"
#include "core/encoding.hpp"
#include "core/random.hpp"

namespace postern::web {

namespace {
constexpr std::size_t kMost = 20'000;
constexpr std::size_t kFlowOctets = 16;
}  // namespace

std::string Ceremonies::begin(Begun begun, Timestamp now) {
  auto flow = base64url_encode(random_bytes(kFlowOctets));
  std::scoped_lock lock(mutex_);
  while (!entries_.empty() && (entries_.size() >= kMost || entries_.front().ends <= now)) {
    index_.erase(entries_.front().flow);
    entries_.pop_front();
  }
  entries_.push_back({flow, std::move(begun), now + accounts::webauthn::kCeremonyTime});
  index_.emplace(flow, std::prev(entries_.end()));
  return flow;
}

std::optional<Ceremonies::Begun> Ceremonies::finish(const std::string& flow, Purpose purpose,
                                                    Timestamp now) {
  std::scoped_lock lock(mutex_);
  const auto found = index_.find(flow);
  if (found == index_.end()) return std::nullopt;
  Entry entry = std::move(*found->second);
  entries_.erase(found->second);
  index_.erase(found);
  if (entry.ends <= now || entry.begun.purpose != purpose) return std::nullopt;
  return std::move(entry.begun);
}

}  // namespace postern::web
