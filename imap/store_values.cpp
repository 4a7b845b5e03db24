#include "imap/store_values.hpp"

namespace postern::imap {

// Both name the system flags by the same bits, so that they pass unchanged.
static_assert(kSeen == std::uint8_t{mailbox::kSeen});
static_assert(kAnswered == std::uint8_t{mailbox::kAnswered});
static_assert(kFlagged == std::uint8_t{mailbox::kFlagged});
static_assert(kDeleted == std::uint8_t{mailbox::kDeleted});
static_assert(kDraft == std::uint8_t{mailbox::kDraft});

Flags to_imap(const mailbox::Flags& flags) {
  Flags out;
  out.system = static_cast<std::uint8_t>(flags.system & kAllSystemFlags);
  for (const auto& keyword : flags.keywords) add_keyword(out, keyword);
  return out;
}

mailbox::Flags to_store(const Flags& flags) {
  mailbox::Flags out;
  out.system = flags.system;
  out.keywords = mailbox::normalise_keywords(flags.keywords);
  return out;
}

Message to_imap(const mailbox::MessageState& state) {
  return {state.uid, to_imap(state.flags), state.modseq};
}

SpecialUse to_imap(mailbox::SpecialUse use) {
  switch (use) {
    case mailbox::SpecialUse::none: return SpecialUse::none;
    case mailbox::SpecialUse::drafts: return SpecialUse::drafts;
    case mailbox::SpecialUse::sent: return SpecialUse::sent;
    case mailbox::SpecialUse::junk: return SpecialUse::junk;
    case mailbox::SpecialUse::trash: return SpecialUse::trash;
    case mailbox::SpecialUse::archive: return SpecialUse::archive;
    case mailbox::SpecialUse::all: return SpecialUse::all;
    case mailbox::SpecialUse::flagged: return SpecialUse::flagged;
  }
  return SpecialUse::none;
}

mailbox::StoreMode to_store(FlagChange how) {
  switch (how) {
    case FlagChange::replace: return mailbox::StoreMode::replace;
    case FlagChange::add: return mailbox::StoreMode::add;
    case FlagChange::remove: return mailbox::StoreMode::remove;
  }
  return mailbox::StoreMode::replace;
}

std::vector<mailbox::UidRange> to_ranges(const std::vector<std::uint32_t>& uids) {
  std::vector<mailbox::UidRange> out;
  for (const auto uid : uids) {
    if (!out.empty() && out.back().last + 1 == uid) {
      out.back().last = uid;
    } else {
      out.push_back({uid, uid});
    }
  }
  return out;
}

}  // namespace postern::imap
