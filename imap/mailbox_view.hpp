// What one session believes about its selected mailbox: uids by sequence number, flags, and the
// news that it hasn't told its client yet.
//
// Invariants: entries ascend by uid; sequence numbers are 1-based positions in them. Positions
// change only in take_updates(): between two calls every sequence number keeps its meaning, so a
// command's numbers stay true until its handler is done (RFC 3501 §5.5, §7.4.1). Expunged messages
// keep their entry until the client has been told.
//
// Memory: 16 bytes a message; distinct sets of keywords are kept once. modseq is kept for what
// comes later (RFC 7162).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "imap/backend.hpp"
#include "imap/parse/command.hpp"

namespace postern::imap {

/// Whether EXPUNGE responses may be sent now (RFC 3501 §7.4.1: not for FETCH, STORE, SEARCH).
enum class ExpungePolicy : std::uint8_t { hold, allow };

/// What the client must be told, in this order.
struct ViewUpdates {
  std::vector<std::uint32_t> expunged;       ///< sequence numbers, each as of its turn
  std::optional<std::uint32_t> exists;       ///< and RECENT with it
  std::vector<std::uint32_t> flags_changed;  ///< sequence numbers whose FLAGS to send
};

class MailboxView {
 public:
  MailboxView(Snapshot snapshot, std::string name, Access access);

  [[nodiscard]] MailboxId id() const { return id_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] Access access() const { return access_; }
  [[nodiscard]] std::uint32_t uid_validity() const { return uid_validity_; }
  [[nodiscard]] std::uint32_t uid_next() const { return uid_next_; }
  [[nodiscard]] std::uint64_t modseq() const { return modseq_; }

  /// Messages as the client knows them.
  [[nodiscard]] std::uint32_t exists() const { return static_cast<std::uint32_t>(entries_.size()); }
  [[nodiscard]] std::uint32_t recent() const;
  [[nodiscard]] std::optional<std::uint32_t> first_unseen() const;  ///< a sequence number
  [[nodiscard]] std::uint32_t uid_at(std::uint32_t sequence) const { return at(sequence).uid; }
  /// In the order of `sequences`.
  [[nodiscard]] std::vector<std::uint32_t> uids_of(
      const std::vector<std::uint32_t>& sequences) const;
  [[nodiscard]] std::optional<std::uint32_t> sequence_of(std::uint32_t uid) const;
  [[nodiscard]] Flags flags_at(std::uint32_t sequence) const;
  [[nodiscard]] std::uint8_t system_flags_at(std::uint32_t sequence) const {
    return at(sequence).system;
  }
  [[nodiscard]] bool recent_at(std::uint32_t sequence) const {
    return at(sequence).uid >= first_recent_uid_;
  }
  [[nodiscard]] bool expunged_at(std::uint32_t sequence) const { return at(sequence).expunged; }
  /// Every keyword that a message carries, for SELECT's FLAGS.
  [[nodiscard]] std::vector<std::string> keywords() const;

  /// Sequence numbers that a set names, ascending. nullopt: a sequence number that isn't there
  /// (RFC 3501 §9, seq-number); uids that aren't there are simply left out.
  [[nodiscard]] std::optional<std::vector<std::uint32_t>> resolve(const SequenceSet& set,
                                                                  Numbering numbering) const;
  [[nodiscard]] std::uint32_t largest(Numbering numbering) const;

  /// News from the store.
  void apply(const Changes& changes);
  /// This session's own STORE, answered even when it changed nothing (RFC 3501 §6.4.6) unless it is
  /// silent and the outcome is what the client must expect.
  enum class Tell : std::uint8_t { yes, no };
  void apply_own(const Message& message, Tell tell);
  void note_expunged(const std::vector<std::uint32_t>& uids);
  void note_all_expunged();  ///< the mailbox itself is gone
  /// The pending news of one message's flags, if any, counts as told.
  bool take_flags_change(std::uint32_t sequence);

  /// Changes positions: afterwards numbers mean what the updates say.
  ViewUpdates take_updates(ExpungePolicy policy);
  [[nodiscard]] bool has_updates(ExpungePolicy policy) const;

 private:
  struct Entry {
    std::uint32_t uid = 0;
    std::uint16_t keywords = 0;  ///< index into keyword_sets_
    std::uint8_t system = 0;
    bool flags_changed : 1 = false;
    bool expunged : 1 = false;
    std::uint64_t modseq = 0;
  };
  static_assert(sizeof(Entry) == 16);

  [[nodiscard]] const Entry& at(std::uint32_t sequence) const { return entries_[sequence - 1]; }
  Entry make_entry(const Message& message);
  [[nodiscard]] bool differs(const Entry& entry, const Message& message) const;
  Entry* find(std::uint32_t uid);
  std::uint16_t intern(const std::vector<std::string>& keywords);

  MailboxId id_;
  std::string name_;
  Access access_;
  std::uint32_t uid_validity_;
  std::uint32_t uid_next_;
  std::uint32_t first_recent_uid_;
  std::uint64_t modseq_;
  std::vector<Entry> entries_;
  std::vector<Entry> arrived_;  ///< not announced yet
  std::vector<std::vector<std::string>> keyword_sets_{{}};
  std::size_t expunged_count_ = 0;
  std::size_t changed_count_ = 0;
};

}  // namespace postern::imap
