// A bounded cache, least recently used goes first, whose entries are all of one generation.
//
// A find or store under a newer generation empties it; what was read under an older one is not
// stored. Thread-safe; values are immutable and shared.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace postern::accounts {

template <class Value>
class GenerationCache {
 public:
  explicit GenerationCache(std::size_t limit) : limit_(limit) {}

  std::shared_ptr<Value> find(std::uint64_t generation, const std::string& key) {
    std::scoped_lock lock(mutex_);
    if (!enter(generation)) return nullptr;
    const auto found = index_.find(key);
    if (found == index_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, found->second);
    return found->second->second;
  }

  void store(std::uint64_t generation, const std::string& key, std::shared_ptr<Value> value) {
    std::scoped_lock lock(mutex_);
    if (!enter(generation)) return;
    if (const auto found = index_.find(key); found != index_.end()) {
      found->second->second = std::move(value);
      return;
    }
    if (entries_.size() >= limit_) {
      index_.erase(entries_.back().first);
      entries_.pop_back();
    }
    entries_.emplace_front(key, std::move(value));
    index_.emplace(entries_.front().first, entries_.begin());
  }

  [[nodiscard]] std::size_t size() const {
    std::scoped_lock lock(mutex_);
    return entries_.size();
  }

 private:
  using Entries = std::list<std::pair<const std::string, std::shared_ptr<Value>>>;

  /// False for a generation that is over.
  bool enter(std::uint64_t generation) {
    if (generation < generation_) return false;
    if (generation > generation_) {
      index_.clear();
      entries_.clear();
      generation_ = generation;
    }
    return true;
  }

  mutable std::mutex mutex_;
  std::size_t limit_;
  std::uint64_t generation_ = 0;
  Entries entries_;
  std::unordered_map<std::string_view, typename Entries::iterator> index_;
};

}  // namespace postern::accounts
