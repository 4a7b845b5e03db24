// Argon2id (RFC 9106) by libargon2, on a bounded pool.
//
// A stored hash is a PHC string ("$argon2id$v=19$m=19456,t=2,p=1$salt$hash") and carries its own
// parameters. Each run takes tens of milliseconds and `memory` bytes: a budget bounds the memory of
// all runs together, the queue bounds the wait; beyond it the answer is Errc::overloaded (temporary
// for the client).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "core/task.hpp"

namespace postern::accounts {

struct Argon2Parameters {
  std::uint32_t memory_kib = 19 * 1024;
  std::uint32_t time = 2;
  std::uint32_t parallelism = 1;
  auto operator<=>(const Argon2Parameters&) const = default;
};

/// What a stored hash may ask for at most: a tampered or foreign one can't take the machine.
inline constexpr Argon2Parameters kArgon2Ceiling{1024 * 1024, 16, 16};

/// Blocking; 32-byte result, 16 random bytes of salt.
std::string argon2_hash(std::string_view password, Argon2Parameters parameters);
/// Blocking; constant time in the comparison. False also for a hash that isn't ours or asks too
/// much.
bool argon2_verify(std::string_view password, const std::string& phc);
/// The parameters of an argon2id PHC string; Errc::corrupt when it isn't one.
Result<Argon2Parameters> argon2_parameters(std::string_view phc);

/// Argon2 runs by all pools of the process; also a metric. Tests count with it.
std::uint64_t argon2_runs();

struct PasswordPoolOptions {
  Argon2Parameters parameters;
  std::size_t threads = 2;
  std::size_t queue_limit = 64;
  std::uint64_t memory_limit = 256ULL
                               << 20;  ///< bytes; takes threads away where they would exceed it
};

class PasswordPool {
 public:
  explicit PasswordPool(PasswordPoolOptions options);
  ~PasswordPool();

  Task<Result<std::string>> hash(std::string password);
  /// True when it matches. One Argon2 run, whatever the outcome.
  Task<Result<bool>> verify(std::string password, std::string phc);
  /// As long as a verify under the current parameters, for logins that don't exist. Always false.
  Task<Result<bool>> verify_dummy(std::string password);

  /// Whether a stored hash was made under other parameters than today's.
  [[nodiscard]] bool is_outdated(std::string_view phc) const;
  /// Takes effect from the next hash on (settings reload).
  void set_parameters(Argon2Parameters parameters);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace postern::accounts
