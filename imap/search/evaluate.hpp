// Evaluates a search expression on one message with what is known of it so far.
//
// Three-valued: a key that needs data not loaded yet is `unknown`, and logic goes on around it
// (false AND unknown is false). So the caller loads the cheap things first, for the messages that
// still need them, and asks again. No I/O here.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "imap/backend.hpp"
#include "imap/parse/search_key.hpp"

namespace postern::imap {

enum class Truth : std::uint8_t { no, yes, unknown };

/// What one expression needs at most.
struct SearchNeeds {
  bool dates = false;   ///< internal date, size
  bool index = false;   ///< envelope fields, sent date
  bool header = false;  ///< other header fields
  bool body = false;
};
SearchNeeds needs_of(const SearchKey& key);

/// The expression made ready: sets resolved, strings folded. The tree has the key's own shape.
struct PreparedKey {
  SearchKey::Kind kind = SearchKey::Kind::all;
  std::uint8_t flag = 0;
  std::string name;  ///< lower case for header fields
  std::string text;  ///< folded
  Timestamp date;
  std::uint64_t number = 0;
  std::vector<SequenceSet::Range> ranges;
  std::vector<PreparedKey> children;
};
PreparedKey prepare(const SearchKey& key, std::uint32_t largest_sequence,
                    std::uint32_t largest_uid);

/// One message, as far as it has been loaded.
struct SearchSubject {
  std::uint32_t sequence = 0;
  std::uint32_t uid = 0;
  Flags flags;
  bool recent = false;
  const MessageData* data = nullptr;
  std::optional<std::string> header;             ///< raw
  std::optional<std::vector<std::string>> body;  ///< texts of its parts, folded
};

Truth evaluate(const PreparedKey& key, const SearchSubject& subject);

}  // namespace postern::imap
