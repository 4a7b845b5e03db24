#include "core/tls/error.hpp"

#include <openssl/err.h>

#include <cerrno>
#include <cstring>

namespace postern::tls {

std::string take_error_text() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "unknown error";
  // A failed fopen() arrives as a system error, for which OpenSSL has no reason string.
  if (ERR_SYSTEM_ERROR(code)) return std::strerror(ERR_GET_REASON(code));
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "error " + std::to_string(code);
}

}  // namespace postern::tls
