#include "core/dns/cache.hpp"

namespace postern::dns {

namespace {
// What an entry costs beside its strings: list node, hash node, control block.
constexpr std::size_t kOverhead = 256;

std::string key_of(const std::string& name, Type type) {
  // A name holds no space, so no two keys meet.
  return name + ' ' + std::to_string(static_cast<unsigned>(type));
}

std::size_t size_of(const Answer& answer, const std::string& key) {
  std::size_t size = kOverhead + sizeof answer + 2 * key.size();
  size += answer.addresses.size() * sizeof(asio::ip::address);
  for (const auto& mx : answer.mx) size += sizeof mx + mx.host.size();
  for (const auto& text : answer.texts) size += sizeof(std::string) + text.size();
  for (const auto& name : answer.names) size += sizeof(std::string) + name.size();
  return size;
}
}  // namespace

std::shared_ptr<const Answer> Cache::get(const std::string& name, Type type, Time now) {
  const auto found = index_.find(key_of(name, type));
  if (found == index_.end()) return nullptr;
  const auto entry = found->second;
  if (now >= entry->until) {
    erase(entry);
    return nullptr;
  }
  entries_.splice(entries_.begin(), entries_, entry);
  return entry->answer;
}

void Cache::put(const std::string& name, Type type, std::shared_ptr<const Answer> answer,
                Time until) {
  auto key = key_of(name, type);
  if (const auto old = index_.find(key); old != index_.end()) erase(old->second);
  const std::size_t size = size_of(*answer, key);
  if (size > max_bytes_ || max_entries_ == 0) return;
  while (index_.size() >= max_entries_ || bytes_ + size > max_bytes_)
    erase(std::prev(entries_.end()));
  entries_.push_front(Entry{key, std::move(answer), until, size});
  index_.emplace(std::move(key), entries_.begin());
  bytes_ += size;
}

void Cache::erase(Entries::iterator entry) {
  bytes_ -= entry->size;
  index_.erase(entry->key);
  entries_.erase(entry);
}

}  // namespace postern::dns
