// A sequence-set (RFC 3501 §9): ranges of sequence numbers or uids, '*' for the largest in use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace postern::imap {

inline constexpr std::size_t kMaxSequenceRanges = 4096;  ///< of one set, as written

class SequenceSet {
 public:
  static constexpr std::uint32_t kStar = 0;  ///< no number is zero, so this can stand for '*'
  struct Range {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    bool operator==(const Range&) const = default;
  };

  /// Without spaces, the whole text. nullopt: not a set. At most kMaxSequenceRanges ranges.
  static std::optional<SequenceSet> parse(std::string_view text);

  /// Ascending, disjoint ranges with '*' read as `largest`.
  [[nodiscard]] std::vector<Range> resolve(std::uint32_t largest) const;
  [[nodiscard]] const std::vector<Range>& ranges() const { return ranges_; }
  bool operator==(const SequenceSet&) const = default;

 private:
  std::vector<Range> ranges_;
};

/// Whether `number` lies in resolved ranges.
bool contains(const std::vector<SequenceSet::Range>& resolved, std::uint32_t number);

}  // namespace postern::imap
