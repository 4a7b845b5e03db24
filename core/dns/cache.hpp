// Answers kept for their time: bounded by entries and by bytes, the least recently used go first.
// Owner: one resolver, on its io thread. Time comes from the caller.
#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>

#include "core/dns/dns.hpp"

namespace postern::dns {

class Cache {
 public:
  using Time = std::chrono::steady_clock::time_point;

  Cache(std::size_t max_entries, std::size_t max_bytes)
      : max_entries_(max_entries), max_bytes_(max_bytes) {}

  /// Null when there is none, or its time is over.
  std::shared_ptr<const Answer> get(const std::string& name, Type type, Time now);
  void put(const std::string& name, Type type, std::shared_ptr<const Answer> answer, Time until);

  [[nodiscard]] std::size_t entries() const { return index_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<const Answer> answer;
    Time until;
    std::size_t size;
  };
  using Entries = std::list<Entry>;  // most recently used first
  void erase(Entries::iterator entry);

  std::size_t max_entries_;
  std::size_t max_bytes_;
  std::size_t bytes_ = 0;
  Entries entries_;
  std::unordered_map<std::string, Entries::iterator> index_;
};

}  // namespace postern::dns
