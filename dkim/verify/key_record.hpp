// A public key record (RFC 6376 §3.6.1) as far as a verdict depends on it.
//
// Untrusted: the text. Everything in it is judged here; libopendkim gets a record written anew from
// the decoded key, so that no sender's text reaches its parser.
#pragma once

#include <cstddef>
#include <string_view>

#include "core/dns/dns.hpp"
#include "core/result.hpp"
#include "dkim/verify/signature.hpp"

namespace postern::dkim {

inline constexpr std::size_t kMaxKeyRecord = 4'096;  ///< octets
/// Larger keys cost a verifier more than they bring, and don't fit libopendkim's buffer.
inline constexpr unsigned kMaxRsaBits = 4'096;

/// The record to verify `signature` with, rewritten; otherwise `result` has the final verdict.
std::optional<std::string> usable_key(const dns::Answer& answer, const Signature& signature,
                                      SignatureResult& result);

}  // namespace postern::dkim
