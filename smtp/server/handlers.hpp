// The handlers behind the dispatch table, one a file (cmd_*.cpp). Each is given a parsed command
// that the current state allows.
#pragma once

#include "smtp/protocol/command.hpp"
#include "smtp/server/conversation.hpp"

namespace postern::smtp {

Action handle_helo(Conversation& conversation, Helo command);
Action handle_ehlo(Conversation& conversation, Ehlo command);
Action handle_mail(Conversation& conversation, Mail command);
Action handle_rcpt(Conversation& conversation, Rcpt command);
Action handle_data(Conversation& conversation, Data command);
Action handle_bdat(Conversation& conversation, Bdat command);
Action handle_rset(Conversation& conversation, Rset command);
Action handle_noop(Conversation& conversation, Noop command);
Action handle_quit(Conversation& conversation, Quit command);
Action handle_help(Conversation& conversation, Help command);
Action handle_vrfy(Conversation& conversation, Vrfy command);
Action handle_expn(Conversation& conversation, Expn command);
Action handle_starttls(Conversation& conversation, StartTls command);
Action handle_auth(Conversation& conversation, Auth command);
/// A line of an AUTH exchange, CRLF removed.
Action handle_sasl_line(Conversation& conversation, std::string_view line);

}  // namespace postern::smtp
