// tag=value lists (RFC 6376 §3.2): DKIM-Signature fields, key records, DMARC records.
//
// Owner: a value. Untrusted: the text. Duplicate tags make the list invalid, as the RFC says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace postern::dkim {

inline constexpr std::size_t kMaxTags = 64;  ///< real lists have about a dozen

class TagList {
 public:
  /// Whether an odd piece spoils the list: DKIM refuses it (RFC 6376 §3.2), DMARC steps over it
  /// (RFC 9989 §4.7: what isn't understood is ignored).
  enum class Strictness : std::uint8_t { strict, lenient };

  static Result<TagList> parse(std::string_view text, Strictness strictness);

  /// The value, trimmed, inner white space kept; nullopt when the tag isn't there.
  [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const;
  [[nodiscard]] std::string_view first_name() const { return first_; }

 private:
  std::map<std::string, std::string, std::less<>> tags_;
  std::string first_;
};

/// The text without any white space (base64 and colon lists may be folded anywhere).
std::string without_space(std::string_view text);

}  // namespace postern::dkim
