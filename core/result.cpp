#include "core/result.hpp"

namespace postern {

std::string_view to_string(Errc code) noexcept {
  switch (code) {
    case Errc::invalid: return "invalid";
    case Errc::not_found: return "not_found";
    case Errc::exists: return "exists";
    case Errc::denied: return "denied";
    case Errc::too_large: return "too_large";
    case Errc::overloaded: return "overloaded";
    case Errc::temporary: return "temporary";
    case Errc::io: return "io";
    case Errc::corrupt: return "corrupt";
    case Errc::timeout: return "timeout";
    case Errc::cancelled: return "cancelled";
    case Errc::unsupported: return "unsupported";
  }
  return "unknown";
}

}  // namespace postern
