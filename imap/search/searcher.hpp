// Runs a search over the selected mailbox, loading no more of each message than the expression
// needs.
//
// Owner: the SEARCH handler, for one command. Memory: one message's searched text
// (kMaxSearchedText) and one batch of indexes. Cost: `limits.search_bytes` read from bodies, then
// Errc::too_large.
#pragma once

#include <cstdint>
#include <vector>

#include "imap/search/evaluate.hpp"
#include "imap/session.hpp"

namespace postern::imap {

inline constexpr std::uint64_t kMaxSearchedHeader = 256ULL * 1024;  ///< bytes of a message's header
inline constexpr std::uint64_t kMaxSearchedText =
    1024ULL * 1024;  ///< bytes of its text parts, encoded

class Searcher {
 public:
  Searcher(Session& session, const SearchKey& key);

  /// Matching sequence numbers, ascending. Messages gone meanwhile don't match.
  Task<Result<std::vector<std::uint32_t>>> run();

 private:
  [[nodiscard]] SearchSubject subject(std::uint32_t sequence) const;
  Task<Result<void>> batch(std::vector<std::uint32_t> sequences, std::vector<std::uint32_t>& found);
  Task<Result<Truth>> with_bodies(SearchSubject& subject);
  Task<Result<std::string>> read(std::uint32_t uid, std::uint64_t offset, std::uint64_t length);
  Task<Result<std::vector<std::string>>> read_texts(const SearchSubject& subject);

  Session& session_;
  SearchNeeds needs_;
  PreparedKey key_;
  std::uint64_t bytes_left_;
};

}  // namespace postern::imap
