// The plain values of the message store, as smtp and imap see them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/id.hpp"
#include "core/time.hpp"

namespace postern::mailbox {

inline constexpr char kSeparator = '/';
inline constexpr std::string_view kInbox = "INBOX";
inline constexpr std::size_t kMaxMailboxName = 1'000;  ///< bytes of UTF-8, whole path
inline constexpr std::size_t kMaxMailboxDepth = 20;    ///< levels of hierarchy
inline constexpr std::size_t kMaxMailboxes = 10'000;   ///< of one account
inline constexpr std::size_t kMaxKeywords = 100;       ///< of one message
inline constexpr std::size_t kMaxKeywordLength = 100;  ///< bytes

/// RFC 6154.
enum class SpecialUse : std::uint8_t { none, drafts, sent, junk, trash, archive, all, flagged };
std::string_view to_attribute(SpecialUse use);  ///< "\\Drafts"; empty for none

/// System flags as bits (RFC 9051 §2.3.2; \Recent is not kept).
enum FlagBit : std::uint32_t {
  kSeen = 1U << 0,
  kAnswered = 1U << 1,
  kFlagged = 1U << 2,
  kDeleted = 1U << 3,
  kDraft = 1U << 4,
};

/// Keywords are unique without regard to case, sorted, and hold no space.
struct Flags {
  std::uint32_t system = 0;
  std::vector<std::string> keywords;

  bool operator==(const Flags&) const = default;
  [[nodiscard]] bool has(FlagBit bit) const { return (system & bit) != 0; }
  [[nodiscard]] bool has_keyword(std::string_view keyword) const;
  void add(const Flags& other);
  void remove(const Flags& other);
};
std::string join_keywords(const std::vector<std::string>& keywords);
std::vector<std::string> split_keywords(std::string_view stored);
/// Sorted, without duplicates.
std::vector<std::string> normalise_keywords(std::vector<std::string> keywords);

struct MailboxInfo {
  MailboxId id;
  AccountId account;
  std::string name;  ///< UTF-8, levels separated by '/'; "INBOX" in capitals
  SpecialUse special_use = SpecialUse::none;
  std::uint32_t uidvalidity = 0;
  std::uint32_t uidnext = 1;
  std::uint64_t highest_modseq = 1;
  std::uint32_t messages = 0;
  std::uint32_t unseen = 0;
  std::uint32_t deleted = 0;  ///< with \Deleted (STATUS DELETED, RFC 9051)
  std::uint64_t bytes = 0;    ///< STATUS SIZE
  bool selectable = true;     ///< false: \NoSelect, a level of hierarchy only
  bool subscribed = false;
};

/// Inclusive.
struct UidRange {
  std::uint32_t first = 1;
  std::uint32_t last = 0xffffffff;
  bool operator==(const UidRange&) const = default;
};

/// What a view needs of every message.
struct MessageState {
  std::uint32_t uid = 0;
  std::uint64_t modseq = 0;
  Flags flags;
  bool operator==(const MessageState&) const = default;
};

/// What FETCH needs; expunged messages are still given while their tombstone knows the body.
struct MessageRow {
  MessageState state;
  ObjectId object;  ///< also RFC 8474's EMAILID: copies share it
  Timestamp internal_date;
  Timestamp saved_date;    ///< RFC 8514
  std::uint64_t size = 0;  ///< bytes
  std::string index;       ///< as stored (see index_seal.hpp); empty when not asked for
  bool expunged = false;
};

}  // namespace postern::mailbox
