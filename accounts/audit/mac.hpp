// HMAC-SHA-256 (RFC 2104) under one key for many inputs: the key's part is computed once.
//
// Owned by one thread at a time.
#pragma once

#include <memory>
#include <string>
#include <string_view>

struct evp_mac_ctx_st;

namespace postern::accounts::audit {

inline constexpr std::size_t kMacSize = 32;

class KeyedMac {
 public:
  explicit KeyedMac(std::string_view key);
  [[nodiscard]] std::string compute(std::string_view bytes);  ///< kMacSize raw bytes

 private:
  struct Free {
    void operator()(evp_mac_ctx_st* context) const noexcept;
  };
  std::unique_ptr<evp_mac_ctx_st, Free> context_;
};

}  // namespace postern::accounts::audit
