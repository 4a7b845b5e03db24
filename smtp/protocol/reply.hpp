// An SMTP reply as a value: code, enhanced status, the text a peer sees, and what only the log
// sees.
//
// Standards: RFC 5321 §4.2 (codes, multi-line form), RFC 2034 and RFC 3463 (enhanced status).
// `cause` never reaches the peer. Text may hold '\n' to make a multi-line reply; control characters
// in it are replaced when rendered, so that no peer-supplied text can forge a reply line.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <utility>

namespace postern::smtp {

/// RFC 3463 §2. All zero: the reply carries none (greeting, HELO and EHLO answers, 3yz).
struct EnhancedStatus {
  std::uint8_t klass = 0;
  std::uint16_t subject = 0;
  std::uint16_t detail = 0;

  bool operator==(const EnhancedStatus&) const = default;
  [[nodiscard]] bool present() const { return klass != 0; }
};

std::string to_string(EnhancedStatus status);  ///< "5.7.8"; empty when not present

/// Whose fault a refusal is: what log level it deserves and who has to act.
enum class Blame : std::uint8_t { none, client, policy, server };

struct Reply {
  int code = 250;
  EnhancedStatus status{};
  std::string text{};
  std::string cause{};  ///< for the log alone
  Blame blame = Blame::none;

  [[nodiscard]] bool positive() const { return code < 400; }
  [[nodiscard]] bool permanent() const { return code >= 500; }
};

/// What a step of a transaction gives: a value, or the reply that refuses it.
template <class T = void>
using Outcome = std::expected<T, Reply>;

inline std::unexpected<Reply> refuse(Reply reply) {
  return std::unexpected<Reply>(std::move(reply));
}
inline std::unexpected<Reply> refuse(int code, EnhancedStatus status, std::string text,
                                     Blame blame = Blame::client) {
  return std::unexpected<Reply>(Reply{code, status, std::move(text), {}, blame});
}

/// Appends the wire form, every line ended by CRLF. With a status, each line carries it (RFC 2034
/// §4). Text beyond 512 octets a line (RFC 5321 §4.5.3.1.5) is cut.
void append_reply(std::string& out, const Reply& reply);

}  // namespace postern::smtp
