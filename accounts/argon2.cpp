// Argon2id and its PHC strings (declared in password.hpp).
#include <argon2.h>
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <new>

#include "accounts/password.hpp"
#include "core/metrics.hpp"
#include "core/random.hpp"

namespace postern::accounts {

namespace {

constexpr std::size_t kSaltSize = 16;
constexpr std::size_t kHashSize = 32;
constexpr std::size_t kMaxPhc = 256;

metrics::Counter& runs() {
  static metrics::Counter counter("postern_argon2_runs_total", "Argon2 runs, whatever for");
  return counter;
}

/// Takes "m=19456," and the like from the front.
bool take_number(std::string_view& text, std::string_view before, char after,
                 std::uint32_t& value) {
  if (!text.starts_with(before)) return false;
  text.remove_prefix(before.size());
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const auto used = static_cast<std::size_t>(end - text.data());
  if (error != std::errc{} || used >= text.size() || *end != after) return false;
  text.remove_prefix(used + 1);
  return true;
}

bool within_ceiling(Argon2Parameters p) {
  return p.memory_kib >= 8 && p.memory_kib <= kArgon2Ceiling.memory_kib && p.time >= 1 &&
         p.time <= kArgon2Ceiling.time && p.parallelism >= 1 &&
         p.parallelism <= kArgon2Ceiling.parallelism;
}

}  // namespace

std::uint64_t argon2_runs() { return runs().value(); }

Result<Argon2Parameters> argon2_parameters(std::string_view phc) {
  Argon2Parameters parameters;
  std::string_view rest = phc;
  const bool good = phc.size() <= kMaxPhc &&
                    take_number(rest, "$argon2id$v=19$m=", ',', parameters.memory_kib) &&
                    take_number(rest, "t=", ',', parameters.time) &&
                    take_number(rest, "p=", '$', parameters.parallelism);
  if (!good || !within_ceiling(parameters)) {
    return fail(Errc::corrupt, "not an argon2id hash, or one that asks for too much");
  }
  return parameters;
}

std::string argon2_hash(std::string_view password, Argon2Parameters parameters) {
  runs().add();
  const auto salt = random_bytes(kSaltSize);
  std::array<char, kMaxPhc> encoded{};
  const int status = argon2id_hash_encoded(
      parameters.time, parameters.memory_kib, parameters.parallelism, password.data(),
      password.size(), salt.data(), salt.size(), kHashSize, encoded.data(), encoded.size());
  if (status == ARGON2_MEMORY_ALLOCATION_ERROR) throw std::bad_alloc();
  if (status != ARGON2_OK) return {};
  return encoded.data();
}

bool argon2_verify(std::string_view password, const std::string& phc) {
  if (!argon2_parameters(phc)) return false;
  runs().add();
  const int status = argon2id_verify(phc.c_str(), password.data(), password.size());
  if (status == ARGON2_MEMORY_ALLOCATION_ERROR) throw std::bad_alloc();
  return status == ARGON2_OK;
}

}  // namespace postern::accounts
