#include "tests/security/imap_cases.hpp"

#include <fmt/format.h>

#include <array>

#include "core/encoding.hpp"
#include "tests/security/tenancy.hpp"
#include "tests/security/text.hpp"

namespace postern::test {

namespace {

// clang-format off
const std::array kCases{
    // Nothing in them names anything; what they answer is looked through for what is another's.
    ImapCase{"CAPABILITY", {"CAPABILITY", "CAPABILITY {name}"}},
    ImapCase{"NOOP", {"NOOP", "NOOP {name}"}},
    ImapCase{"LOGOUT", {"LOGOUT {name}"}},
    ImapCase{"ID", {"ID NIL", "ID (\"user\" {name})"}},
    ImapCase{"STARTTLS", {"STARTTLS {name}"}},
    ImapCase{"NAMESPACE", {"NAMESPACE", "NAMESPACE {name}"}},
    ImapCase{"ENABLE", {"ENABLE CONDSTORE", "ENABLE QRESYNC ACL QUOTA", "ENABLE {word}"}},
    ImapCase{"IDLE", {"IDLE\r\nDONE", "IDLE {name}"}},
    ImapCase{"CHECK", {"CHECK", "CHECK {name}"}},
    ImapCase{"CLOSE", {"CLOSE {name}", "CLOSE"}},
    ImapCase{"UNSELECT", {"UNSELECT {name}", "UNSELECT"}},
    // Who it is.
    ImapCase{"LOGIN", {"LOGIN {address} wrong", "LOGIN {address} \"\"", "LOGIN {name} wrong"}},
    ImapCase{"AUTHENTICATE", {"AUTHENTICATE PLAIN {plain}", "AUTHENTICATE PLAIN {as}",
                              "AUTHENTICATE LOGIN {user}\r\nd3Jvbmc=", "AUTHENTICATE {word}"}},
    // A mailbox by its name.
    ImapCase{"SELECT", {"SELECT {name}", "SELECT {name} (CONDSTORE)", "SELECT {name} (QRESYNC (1 1 {uids}))"}},
    ImapCase{"EXAMINE", {"EXAMINE {name}", "EXAMINE {name} (CONDSTORE)"}},
    ImapCase{"CREATE", {"CREATE {name}", "CREATE {name} (USE (\\Archive))"}, {"DELETE {name}", "UNSUBSCRIBE {name}"}},
    ImapCase{"DELETE", {"DELETE {name}"}},
    ImapCase{"RENAME", {"RENAME {name} taken", "RENAME own {name}"}, {"RENAME {name} own"}},
    ImapCase{"SUBSCRIBE", {"SUBSCRIBE {name}"}, {"UNSUBSCRIBE {name}"}},
    ImapCase{"UNSUBSCRIBE", {"UNSUBSCRIBE {name}"}},
    ImapCase{"LIST", {"LIST \"\" *", "LIST \"\" {name}", "LIST {name} *", "LIST {name} %", "LIST {name} \"\"",
                      "LIST \"\" *{word}*", "LIST \"\" %/{word}", "LIST \"\" %/%/%",
                      "LIST (SUBSCRIBED) \"\" {name}", "LIST \"\" {name} RETURN (STATUS (MESSAGES))"}},
    ImapCase{"LSUB", {"LSUB \"\" *", "LSUB \"\" {name}", "LSUB {name} *", "LSUB \"\" *{word}*", "LSUB \"\" %/%"}},
    ImapCase{"STATUS", {"STATUS {name} (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN)",
                        "STATUS {name} (HIGHESTMODSEQ)", "STATUS {name} (MAILBOXID)", "STATUS {name} (SIZE)"}},
    ImapCase{"APPEND", {"APPEND {name} {6+}\r\na: b\r\n", "APPEND {name} (\\Seen) {6+}\r\na: b\r\n",
                        "APPEND INBOX CATENATE (URL {name})", "APPEND {name} \"a: b\""}},
    // Messages, in the mailbox that is open.
    ImapCase{"SEARCH", {"SEARCH TEXT {word}", "SEARCH BODY {word}", "SEARCH SUBJECT {word}", "SEARCH FROM {address}",
                        "SEARCH HEADER Subject {word}", "SEARCH KEYWORD {word}", "SEARCH UID {uids}",
                        "SEARCH OR TEXT {word} UID {uids}", "SEARCH MODSEQ 1", "SEARCH EMAILID {word}", "SEARCH {uids}",
                        "SEARCH IN (mailboxes {name}) ALL", "SEARCH RETURN (ALL COUNT MIN MAX) TEXT {word}"}},
    ImapCase{"FETCH", {"FETCH {uids} (FLAGS UID BODY.PEEK[])", "FETCH {uids} ALL", "FETCH 1:* (UID BODY.PEEK[])",
                       "FETCH * (EMAILID THREADID)", "FETCH 1:* (FLAGS) (CHANGEDSINCE 1)"}},
    ImapCase{"STORE", {"STORE {uids} +FLAGS (\\Deleted)", "STORE {uids} FLAGS ({word})"}},
    ImapCase{"COPY", {"COPY {uids} own", "COPY 1 {name}", "COPY * {name}"}},
    ImapCase{"MOVE", {"MOVE {uids} own", "MOVE 1 {name}", "MOVE * {name}"}},
    ImapCase{"EXPUNGE", {"EXPUNGE", "EXPUNGE {uids}"}},
    ImapCase{"UID SEARCH", {"UID SEARCH TEXT {word}", "UID SEARCH UID {uids}", "UID SEARCH ALL", "UID SEARCH NOT UID {uids}"}},
    ImapCase{"UID FETCH", {"UID FETCH {uids} (FLAGS BODY.PEEK[])", "UID FETCH {uids} (BODY[HEADER] ENVELOPE BODYSTRUCTURE)",
                           "UID FETCH 1:* (BODY.PEEK[])", "UID FETCH {uids} (FLAGS) (CHANGEDSINCE 1 VANISHED)"}},
    ImapCase{"UID STORE", {"UID STORE {uids} +FLAGS (\\Deleted)", "UID STORE {uids} FLAGS.SILENT ()"}},
    ImapCase{"UID COPY", {"UID COPY {uids} own", "UID COPY 1 {name}", "UID COPY {uids} {name}"}},
    ImapCase{"UID MOVE", {"UID MOVE {uids} own", "UID MOVE 1 {name}", "UID MOVE {uids} {name}"}},
    ImapCase{"UID EXPUNGE", {"UID EXPUNGE {uids}", "UID EXPUNGE 1:*"}},
};

constexpr auto kStrangers = std::to_array<std::string_view>({
    "GETQUOTA {name}", "GETQUOTAROOT {name}", "SETQUOTA {name} (STORAGE 1)",                   // RFC 9208
    "GETACL {name}", "SETACL {name} {address} lrs", "DELETEACL {name} {address}",              // RFC 4314
    "LISTRIGHTS {name} {address}", "MYRIGHTS {name}",
    "GETMETADATA {name} /shared/comment", "SETMETADATA {name} (/shared/comment {word})",       // RFC 5464
    "NOTIFY SET (MAILBOXES {name} (MessageNew))", "NOTIFY SET (SUBTREE {name} (MessageNew))",  // RFC 5465
    "GENURLAUTH {name} INTERNAL", "URLFETCH {name}", "RESETKEY {name}",                        // RFC 4467
    "THREAD REFERENCES UTF-8 TEXT {word}", "SORT (DATE) UTF-8 TEXT {word}",                    // RFC 5256
    "ESEARCH IN (mailboxes {name}) ALL", "REPLACE 1 {name} {6+}\r\na: b\r\n",                  // RFC 7377, 8508
    "UNAUTHENTICATE {word}", "PROXYAUTH {address}", "XLIST \"\" {name}", "XSHADOW {name}",
});
// clang-format on

}  // namespace

std::span<const ImapCase> imap_cases() { return kCases; }
std::span<const std::string_view> imap_strangers() { return kStrangers; }

ImapSubject imap_subject(const std::string& name, const std::vector<std::string>& ids,
                         std::string uids) {
  const auto box = name + "-secret";
  const auto login = "box@" + name + ".example";
  ImapSubject subject{name, {}, std::move(uids)};
  for (const char* form : {"{box}",
                           "{login}/{box}",
                           "~{login}/{box}",
                           "/{box}",
                           "../{box}",
                           "INBOX/../{box}",
                           "user/{login}",
                           "user.{login}.{box}",
                           "Other Users/{login}/{box}",
                           "#user/{login}/{box}",
                           "#shared/{domain}/{box}",
                           "Shared Folders/{domain}/{box}",
                           "{domain}",
                           "{login}/INBOX",
                           "INBOX@{domain}",
                           "{tenant}/box/INBOX",
                           "imap://{login}/{box};UID=1",
                           "/{box};UIDVALIDITY=1/;UID=1",
                           "{box}/bel\xc3\xb6w",
                           "user/{login}/&AOQ-"}) {
    std::string text = form;
    replace_all(text, "{box}", box);
    replace_all(text, "{login}", login);
    replace_all(text, "{domain}", name + ".example");
    replace_all(text, "{tenant}", name);
    subject.forms.push_back(text);
  }
  for (const auto& id : ids) {
    subject.forms.push_back(id);
    subject.forms.push_back("#id/" + id + "/INBOX");
  }
  return subject;
}

std::vector<std::string> imap_lines(std::string_view line, const ImapSubject& subject,
                                    const std::string& mine) {
  const auto address = "box@" + subject.name + ".example";
  std::string text(line);
  replace_all(text, "{word}", subject.name + "-secret");
  replace_all(text, "{uids}", subject.uids);
  replace_all(text, "{address}", address);
  replace_all(text, "{plain}", sasl_plain("", address, "wrong"));
  replace_all(text, "{as}", sasl_plain(address, mine, "correct horse staple"));
  replace_all(text, "{user}", base64_encode(address));
  if (!text.contains("{name}")) return {text};
  std::vector<std::string> lines;
  for (const auto& form : subject.forms) {
    lines.push_back(text);
    replace_all(lines.back(), "{name}", "\"" + form + "\"");
  }
  return lines;
}

}  // namespace postern::test
