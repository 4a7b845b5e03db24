// Logins that an Argon2 run has proved lately: a bounded set of MACs, least recently used goes
// first.
//
// The MAC is HMAC-SHA256 under a random key of this process over login, stored hash and password,
// each with its length. The stored hash is part of it, so a changed password finds nothing here.
// The key lies in locked memory that is left out of core dumps, and is wiped at the end.
// Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/time.hpp"

namespace postern::accounts {

class VerifiedLogins {
 public:
  VerifiedLogins(std::size_t limit, Micros ttl);
  ~VerifiedLogins();
  VerifiedLogins(const VerifiedLogins&) = delete;
  VerifiedLogins& operator=(const VerifiedLogins&) = delete;

  [[nodiscard]] std::string mac(std::string_view login, std::string_view stored_hash,
                                std::string_view password) const;
  /// Known, and no older than the time to live.
  bool contains(const std::string& mac, Timestamp now);
  void insert(const std::string& mac, Timestamp now);
  void clear();
  [[nodiscard]] std::size_t size() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace postern::accounts
