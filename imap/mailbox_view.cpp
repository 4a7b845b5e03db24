#include "imap/mailbox_view.hpp"

#include <algorithm>
#include <limits>
#include <set>

#include "core/ascii.hpp"

namespace postern::imap {

MailboxView::MailboxView(Snapshot snapshot, std::string name, Access access)
    : id_(snapshot.id),
      name_(std::move(name)),
      access_(access),
      uid_validity_(snapshot.uid_validity),
      uid_next_(snapshot.uid_next),
      first_recent_uid_(snapshot.first_recent_uid),
      modseq_(snapshot.highest_modseq) {
  entries_.reserve(snapshot.messages.size());
  for (const auto& message : snapshot.messages) entries_.push_back(make_entry(message));
}

std::uint16_t MailboxView::intern(const std::vector<std::string>& keywords) {
  const auto known = std::ranges::find(keyword_sets_, keywords);
  if (known != keyword_sets_.end()) {
    return static_cast<std::uint16_t>(known - keyword_sets_.begin());
  }
  // More distinct sets than numbers: the newest are shown without keywords. 65,535 sets is no mail
  // program.
  if (keyword_sets_.size() > std::numeric_limits<std::uint16_t>::max()) return 0;
  keyword_sets_.push_back(keywords);
  return static_cast<std::uint16_t>(keyword_sets_.size() - 1);
}

MailboxView::Entry MailboxView::make_entry(const Message& message) {
  Entry entry;
  entry.uid = message.uid;
  entry.keywords = intern(message.flags.keywords);
  entry.system = message.flags.system;
  entry.modseq = message.modseq;
  return entry;
}

MailboxView::Entry* MailboxView::find(std::uint32_t uid) {
  for (auto* list : {&entries_, &arrived_}) {
    const auto at = std::ranges::lower_bound(*list, uid, {}, &Entry::uid);
    if (at != list->end() && at->uid == uid) return &*at;
  }
  return nullptr;
}

std::uint32_t MailboxView::recent() const {
  const auto first = std::ranges::lower_bound(entries_, first_recent_uid_, {}, &Entry::uid);
  return static_cast<std::uint32_t>(entries_.end() - first);
}

std::optional<std::uint32_t> MailboxView::first_unseen() const {
  const auto found =
      std::ranges::find_if(entries_, [](const Entry& e) { return (e.system & kSeen) == 0; });
  if (found == entries_.end()) return std::nullopt;
  return static_cast<std::uint32_t>(found - entries_.begin() + 1);
}

std::vector<std::uint32_t> MailboxView::uids_of(const std::vector<std::uint32_t>& sequences) const {
  std::vector<std::uint32_t> out;
  out.reserve(sequences.size());
  for (const auto sequence : sequences) out.push_back(uid_at(sequence));
  return out;
}

std::optional<std::uint32_t> MailboxView::sequence_of(std::uint32_t uid) const {
  const auto found = std::ranges::lower_bound(entries_, uid, {}, &Entry::uid);
  if (found == entries_.end() || found->uid != uid) return std::nullopt;
  return static_cast<std::uint32_t>(found - entries_.begin() + 1);
}

Flags MailboxView::flags_at(std::uint32_t sequence) const {
  const auto& entry = at(sequence);
  return Flags{entry.system, keyword_sets_[entry.keywords]};
}

std::vector<std::string> MailboxView::keywords() const {
  std::set<std::string> seen;
  std::vector<std::string> out;
  for (const auto& set : keyword_sets_) {
    for (const auto& keyword : set) {
      if (seen.insert(ascii::to_lower(keyword)).second) out.push_back(keyword);
    }
  }
  return out;
}

std::uint32_t MailboxView::largest(Numbering numbering) const {
  if (numbering == Numbering::sequence) return exists();
  // RFC 3501 §9: of an empty mailbox '*' is UIDNEXT.
  return entries_.empty() ? uid_next_ : entries_.back().uid;
}

std::optional<std::vector<std::uint32_t>> MailboxView::resolve(const SequenceSet& set,
                                                               Numbering numbering) const {
  std::vector<std::uint32_t> out;
  const auto ranges = set.resolve(largest(numbering));
  for (const auto& range : ranges) {
    if (numbering == Numbering::sequence) {
      if (range.first == 0 || range.last > exists()) return std::nullopt;
      for (std::uint32_t n = range.first; n <= range.last; ++n) out.push_back(n);
      continue;
    }
    auto at = std::ranges::lower_bound(entries_, range.first, {}, &Entry::uid);
    for (; at != entries_.end() && at->uid <= range.last; ++at) {
      out.push_back(static_cast<std::uint32_t>(at - entries_.begin() + 1));
    }
  }
  return out;
}

void MailboxView::apply(const Changes& changes) {
  note_expunged(changes.expunged);
  for (const auto& message : changes.messages) {
    if (auto* entry = find(message.uid)) {
      if (message.modseq > entry->modseq) {
        apply_own(message, differs(*entry, message) ? Tell::yes : Tell::no);
      }
      continue;
    }
    const auto last = !arrived_.empty()   ? arrived_.back().uid
                      : !entries_.empty() ? entries_.back().uid
                                          : 0;
    // Only larger uids can be new; a smaller one was expunged before and told.
    if (message.uid > last && message.uid >= uid_next_) arrived_.push_back(make_entry(message));
  }
  uid_next_ = std::max(uid_next_, changes.uid_next);
  modseq_ = std::max(modseq_, changes.highest_modseq);
}

void MailboxView::apply_own(const Message& message, Tell tell) {
  auto* entry = find(message.uid);
  if (entry == nullptr || entry->expunged) return;
  entry->system = message.flags.system;
  entry->keywords = intern(message.flags.keywords);
  entry->modseq = std::max(entry->modseq, message.modseq);
  // One that wasn't announced yet comes with EXISTS, and its flags when they are asked for.
  if (tell == Tell::no || entry->flags_changed || !sequence_of(message.uid)) return;
  entry->flags_changed = true;
  ++changed_count_;
}

bool MailboxView::differs(const Entry& entry, const Message& message) const {
  return entry.system != message.flags.system ||
         keyword_sets_[entry.keywords] != message.flags.keywords;
}

void MailboxView::note_all_expunged() {
  arrived_.clear();
  for (auto& entry : entries_) entry.expunged = true;
  expunged_count_ = entries_.size();
}

void MailboxView::note_expunged(const std::vector<std::uint32_t>& uids) {
  for (const auto uid : uids) {
    auto* entry = find(uid);
    if (entry == nullptr || entry->expunged) continue;
    if (!sequence_of(uid)) {
      std::erase_if(arrived_, [uid](const Entry& e) { return e.uid == uid; });
      continue;
    }
    entry->expunged = true;
    ++expunged_count_;
  }
}

bool MailboxView::take_flags_change(std::uint32_t sequence) {
  auto& entry = entries_[sequence - 1];
  if (!entry.flags_changed) return false;
  entry.flags_changed = false;
  --changed_count_;
  return true;
}

bool MailboxView::has_updates(ExpungePolicy policy) const {
  return changed_count_ > 0 || !arrived_.empty() ||
         (policy == ExpungePolicy::allow && expunged_count_ > 0);
}

ViewUpdates MailboxView::take_updates(ExpungePolicy policy) {
  ViewUpdates out;
  if (policy == ExpungePolicy::allow && expunged_count_ > 0) {
    std::size_t kept = 0;
    for (auto& entry : entries_) {
      if (entry.expunged) {
        if (entry.flags_changed) --changed_count_;
        // Each EXPUNGE renumbers what follows at once (RFC 3501 §7.4.1).
        out.expunged.push_back(static_cast<std::uint32_t>(kept + 1));
      } else {
        entries_[kept++] = entry;
      }
    }
    entries_.resize(kept);
    expunged_count_ = 0;
  }
  if (!arrived_.empty()) {
    entries_.insert(entries_.end(), arrived_.begin(), arrived_.end());
    std::vector<Entry>().swap(arrived_);
    out.exists = exists();
  }
  for (std::uint32_t n = 1; changed_count_ > 0 && n <= exists(); ++n) {
    // The flags of a message that is gone are no news.
    if (take_flags_change(n) && !entries_[n - 1].expunged) out.flags_changed.push_back(n);
  }
  return out;
}

}  // namespace postern::imap
