// A SEARCH expression (RFC 3501 §6.4.4) as a tree.
//
// Invariants: depth at most kMaxSearchDepth, at most kMaxSearchKeys nodes; so walking it
// recursively is safe. Strings are UTF-8.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/time.hpp"
#include "imap/wire/sequence_set.hpp"

namespace postern::imap {

inline constexpr std::size_t kMaxSearchDepth = 20;
inline constexpr std::size_t kMaxSearchKeys = 500;
inline constexpr std::size_t kMaxSearchText = 1000;  ///< bytes of one search string

struct SearchKey {
  enum class Kind : std::uint8_t {
    all,
    flag,     ///< has the system flag in `flag`
    keyword,  ///< has the keyword `text`
    recent,
    sequence,  ///< sequence numbers in `set`
    uid,       ///< uids in `set`
    before,
    on,
    since,  ///< INTERNALDATE's day against `date`
    sent_before,
    sent_on,
    sent_since,  ///< the Date field's day
    larger,
    smaller,      ///< RFC822.SIZE against `number`
    header,       ///< field `name` holds `text` (empty: exists); BCC, CC, FROM, SUBJECT, TO too
    body,         ///< the text of the body holds `text`
    text,         ///< header or body holds `text`
    conjunction,  ///< all of `children`
    disjunction,  ///< one of `children`
    negation,     ///< not `children[0]`
  };
  Kind kind = Kind::all;
  std::uint8_t flag = 0;
  std::string name;
  std::string text;
  Timestamp date;
  std::uint64_t number = 0;
  SequenceSet set;
  std::vector<SearchKey> children;
  bool operator==(const SearchKey&) const = default;
};

/// RFC 4731 §3.1, as bits.
enum SearchReturn : std::uint8_t {
  kReturnMin = 1,
  kReturnMax = 2,
  kReturnAll = 4,
  kReturnCount = 8
};

}  // namespace postern::imap
