// Verifies the DKIM signatures of a message: libopendkim does the cryptography, behind a guard.
//
// Every signature and key record is parsed here first, to the grammar and to policy (RFC 6376,
// 8301, 8463); keys are resolved in parallel; only signatures with a usable key reach the library,
// which gets its keys from a table and so never touches the network. The body is fed in chunks with
// a turn of the event loop in between.
//
// Untrusted: message, DNS. Bounded: kMaxSignatures; what comes after is not looked at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/dns/dns.hpp"
#include "core/task.hpp"
#include "core/time.hpp"
#include "storage/body/body_source.hpp"

namespace postern::dkim {

inline constexpr std::size_t kMaxSignatures = 10;
inline constexpr unsigned kMinRsaBits = 1'024;  ///< RFC 8301 §3.2

/// RFC 8601 §2.7.1.
enum class Verdict : std::uint8_t { none, pass, fail, policy, neutral, temperror, permerror };

std::string_view to_string(Verdict verdict);

struct SignatureResult {
  Verdict result = Verdict::neutral;
  std::string domain{};     ///< d=, normalised; empty if the field was unreadable
  std::string selector{};   ///< s=
  std::string identity{};   ///< i=, or "@" and the domain
  std::string algorithm{};  ///< a=, lower case
  std::string signature{};  ///< the first characters of b=, to tell signatures apart (header.b)
  std::string reason{};     ///< why it did not pass; our words only, never the sender's
  unsigned bits = 0;        ///< of the key; 0 when there was none
};

/// The header is at hand, the body may lie elsewhere.
struct Message {
  std::string header;  ///< with or without the blank line
  std::shared_ptr<storage::BodySource> body;
};
using MessagePtr = std::shared_ptr<const Message>;
MessagePtr make_message(std::string_view whole);

struct VerifyOptions {
  Timestamp now;  ///< against t= and x=
};

/// One result per DKIM-Signature field, in the order of the header; empty when there is none.
/// `resolver` outlives the call (it belongs to the io thread). A body that can't be read is a
/// temperror.
Task<std::vector<SignatureResult>> verify(dns::Resolver& resolver, MessagePtr message,
                                          VerifyOptions options);

/// What verify() would begin with: each signature as far as its field tells, temperror where only
/// the key and the cryptography are missing. For callers whose time is over.
std::vector<SignatureResult> read_signatures(MessagePtr message, VerifyOptions options);

}  // namespace postern::dkim
