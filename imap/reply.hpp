// How a command ended: the tagged response.
#pragma once

#include <cstdint>
#include <string>

#include "core/result.hpp"

namespace postern::imap {

struct Reply {
  enum class Condition : std::uint8_t {
    ok,
    no,
    bad,
    sent,  ///< the handler has written the tagged response itself (STARTTLS)
  };
  Condition condition = Condition::ok;
  std::string code;  ///< response code without brackets, or empty
  std::string text;
};

inline Reply ok(std::string text, std::string code = {}) {
  return {Reply::Condition::ok, std::move(code), std::move(text)};
}
inline Reply no(std::string text, std::string code = {}) {
  return {Reply::Condition::no, std::move(code), std::move(text)};
}
inline Reply bad_reply(std::string text, std::string code = {}) {
  return {Reply::Condition::bad, std::move(code), std::move(text)};
}

/// NO with the response code that fits what the backend said (RFC 5530). The backend's own words go
/// to the log, not to the client.
Reply reply_for(const Error& error);
/// The same, where a missing mailbox is the target: TRYCREATE (RFC 3501 §7.1).
Reply reply_for_target(const Error& error);

/// What a handler gives: a reply, or an error that ends the connection (the peer is gone).
using Outcome = Result<Reply>;

}  // namespace postern::imap
