// The tables of the message store in mail-NN.db.
//
// One modseq counter per ACCOUNT (`mail_accounts.modseq`): every change takes the next value, and a
// mailbox's highest_modseq is the value of its latest change. That satisfies RFC 7162 (strictly
// growing within each mailbox) and gives JMAP its one state per account. Updating that row first is
// also what guards every write of an account (uidnext, counters, names), on engines with concurrent
// writers.
//
// Bodies and their parsed index belong to `objects`, which messages refer to: copies share both.
#pragma once

#include "storage/sql/migration.hpp"

namespace postern::mailbox {

sql::Schema mail_schema();

}  // namespace postern::mailbox
