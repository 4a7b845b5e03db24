// An SPF record as the grammar has it (RFC 7208 §12), nothing looked up, nothing expanded.
//
// Untrusted: the text. Anything outside the grammar is an error (permerror), before evaluation
// begins.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace postern::spf {

inline constexpr std::size_t kMaxRecordLength = 16'384;  ///< octets; RFC 7208 §3.4 hopes for 450
inline constexpr std::size_t kMaxTerms = 1'000;

enum class Mechanism : std::uint8_t { all, include, a, mx, ptr, ip4, ip6, exists };

struct Term {
  char qualifier = '+';  ///< + - ~ ?
  Mechanism mechanism = Mechanism::all;
  std::string domain_spec;           ///< macros unexpanded; empty means the current domain
  boost::asio::ip::address network;  ///< ip4, ip6
  unsigned prefix4 = 32;
  unsigned prefix6 = 128;
};

struct Record {
  std::vector<Term> terms;  ///< in order
  std::optional<std::string> redirect;
  std::optional<std::string> explanation;  ///< exp=
};

/// "v=spf1" followed by a space or the end (§4.5).
bool is_spf_record(std::string_view text);

/// `text`: a record that is_spf_record accepts.
Result<Record> parse_record(std::string_view text);

}  // namespace postern::spf
