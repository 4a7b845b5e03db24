#include "accounts/login.hpp"

namespace postern::accounts {

std::string_view to_string(Protocol protocol) {
  switch (protocol) {
    case Protocol::smtp: return "smtp";
    case Protocol::imap: return "imap";
    case Protocol::http: return "http";
  }
  return "http";
}

}  // namespace postern::accounts
