// What to say with each command of the IMAP dispatch table so that it could reach another's mail:
// the one table (imap_cases.cpp) that the isolation test takes its lines from.
//
// A command that the table doesn't know fails the test that meets it: whoever adds one says there
// which of its arguments can name a thing of somebody.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace postern::test {

/// Lines to send, without their tag. In them: {name} a mailbox (the line is said once for each form
/// of the subject's names), {word} a word of the subject's mail, {uids} a set of uids and of
/// sequence numbers that only the subject has, {address} its login, {plain}, {as}, {user} the same
/// in SASL's base64.
struct ImapCase {
  std::string_view command;  ///< as in the dispatch table
  std::vector<std::string_view> lines;
  std::vector<std::string_view> undo{};  ///< said after each line, so that the next finds no trace
};

std::span<const ImapCase> imap_cases();
/// Commands of extensions that aren't offered, with arguments that would name somebody's things.
std::span<const std::string_view> imap_strangers();

/// Somebody whose things are named: one who is there, or nobody.
struct ImapSubject {
  std::string name;                ///< "bravo": part of every name
  std::vector<std::string> forms;  ///< of mailboxes' names; in the same order for every subject
  std::string uids;
};

/// `ids`: of its mailbox, account and tenant.
ImapSubject imap_subject(const std::string& name, const std::vector<std::string>& ids,
                         std::string uids);

/// All that one line comes to for a subject; `mine` is the login that asks.
std::vector<std::string> imap_lines(std::string_view line, const ImapSubject& subject,
                                    const std::string& mine);

}  // namespace postern::test
