// The envelope: who gets the message and who hears of its failure, with all that ESMTP adds.
//
// Standards: RFC 5321 §2.3.1, RFC 1870 (SIZE), RFC 6152 (BODY), RFC 6531 (SMTPUTF8), RFC 3461
// (DSN). Values here passed their grammar; they are still the peer's words.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "smtp/protocol/path.hpp"

namespace postern::smtp {

enum class Body : std::uint8_t { seven_bit, eight_bit_mime };  ///< BODY= (RFC 6152 §3)
enum class Ret : std::uint8_t { unspecified, full, headers };  ///< RET= (RFC 3461 §4.3)
enum class Charset : std::uint8_t { ascii, utf8 };             ///< SMTPUTF8 given or not

/// NOTIFY= (RFC 3461 §4.1). Nothing set: not given. `never` excludes the others.
struct Notify {
  bool never = false;
  bool success = false;
  bool failure = false;
  bool delay = false;

  bool operator==(const Notify&) const = default;
  [[nodiscard]] bool given() const { return never || success || failure || delay; }
};
std::string to_string(const Notify& notify);  ///< "SUCCESS,FAILURE"; empty when not given

/// ORCPT= (RFC 3461 §4.2): decoded, printable, safe to put in a DSN.
struct OriginalRecipient {
  std::string type;     ///< "rfc822", "utf-8", ...
  std::string address;  ///< xtext decoded

  bool operator==(const OriginalRecipient&) const = default;
};

struct Recipient {
  Path path;
  Notify notify{};
  std::optional<OriginalRecipient> original{};
};

struct Envelope {
  Path return_path{};
  std::string envid{};  ///< decoded, printable ASCII; empty: not given
  Ret ret = Ret::unspecified;
  Body body = Body::seven_bit;
  Charset charset = Charset::ascii;
  std::uint64_t declared_size = 0;  ///< SIZE=; 0: not given
  std::vector<Recipient> recipients{};
};

}  // namespace postern::smtp
