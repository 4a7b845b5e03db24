#include "accounts/verified_logins.hpp"

#include <openssl/crypto.h>
#include <sys/mman.h>
#include <unistd.h>

#include <list>
#include <mutex>
#include <new>
#include <unordered_map>

#include "core/crypto.hpp"
#include "core/random.hpp"

namespace postern::accounts {

namespace {

/// A page of its own for one key. Where the system doesn't let it be locked (RLIMIT_MEMLOCK), it is
/// still left out of core dumps and wiped.
class LockedKey {
 public:
  LockedKey() : size_(static_cast<std::size_t>(::sysconf(_SC_PAGESIZE))) {
    page_ = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page_ == MAP_FAILED) throw std::bad_alloc();
    static_cast<void>(::mlock(page_, size_));
    static_cast<void>(::madvise(page_, size_, MADV_DONTDUMP));
    fill_random(page_, crypto::kKeySize);
  }
  ~LockedKey() {
    OPENSSL_cleanse(page_, size_);
    ::munmap(page_, size_);
  }
  LockedKey(const LockedKey&) = delete;
  LockedKey& operator=(const LockedKey&) = delete;
  [[nodiscard]] std::string_view view() const {
    return {static_cast<const char*>(page_), crypto::kKeySize};
  }

 private:
  std::size_t size_;
  void* page_;
};

void append_with_length(std::string& out, std::string_view part) {
  for (int shift = 56; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(static_cast<std::uint64_t>(part.size()) >> shift & 0xff));
  }
  out += part;
}

struct Entry {
  std::string mac;
  Timestamp proved;
};

}  // namespace

struct VerifiedLogins::Impl {
  Impl(std::size_t l, Micros t) : limit(l), ttl(t) {}

  using Entries = std::list<Entry>;
  LockedKey key;
  std::size_t limit;
  Micros ttl;
  mutable std::mutex mutex;
  Entries entries;
  std::unordered_map<std::string_view, Entries::iterator> index;

  void drop(Entries::iterator entry) {
    index.erase(entry->mac);
    crypto::wipe(entry->mac);
    entries.erase(entry);
  }
};

VerifiedLogins::VerifiedLogins(std::size_t limit, Micros ttl)
    : impl_(std::make_unique<Impl>(limit, ttl)) {}
VerifiedLogins::~VerifiedLogins() { clear(); }

std::string VerifiedLogins::mac(std::string_view login, std::string_view stored_hash,
                                std::string_view password) const {
  std::string text;
  text.reserve(login.size() + stored_hash.size() + password.size() +
               24);  // so that it is wiped whole
  append_with_length(text, login);
  append_with_length(text, stored_hash);
  append_with_length(text, password);
  auto out = crypto::hmac_sha256(impl_->key.view(), text);
  crypto::wipe(text);
  return out;
}

bool VerifiedLogins::contains(const std::string& mac, Timestamp now) {
  std::scoped_lock lock(impl_->mutex);
  const auto found = impl_->index.find(mac);
  if (found == impl_->index.end()) return false;
  const auto entry = found->second;
  // A clock that went back would make it last longer: such an entry counts for nothing.
  if (now < entry->proved || now - entry->proved >= impl_->ttl) {
    impl_->drop(entry);
    return false;
  }
  impl_->entries.splice(impl_->entries.begin(), impl_->entries, entry);
  return true;
}

void VerifiedLogins::insert(const std::string& mac, Timestamp now) {
  std::scoped_lock lock(impl_->mutex);
  if (const auto found = impl_->index.find(mac); found != impl_->index.end()) {
    found->second->proved = now;
    return;
  }
  while (impl_->entries.size() >= impl_->limit) impl_->drop(std::prev(impl_->entries.end()));
  impl_->entries.push_front({mac, now});
  impl_->index.emplace(impl_->entries.front().mac, impl_->entries.begin());
}

void VerifiedLogins::clear() {
  std::scoped_lock lock(impl_->mutex);
  while (!impl_->entries.empty()) impl_->drop(impl_->entries.begin());
}

std::size_t VerifiedLogins::size() const {
  std::scoped_lock lock(impl_->mutex);
  return impl_->entries.size();
}

}  // namespace postern::accounts
