#include "smtp/server/dispatch.hpp"

#include <array>
#include <string>
#include <type_traits>

#include "smtp/server/handlers.hpp"
#include "smtp/server/server_metrics.hpp"

namespace postern::smtp {

namespace {

// BDAT alone has octets behind it: refused or not, they are read (RFC 3030 §2).
template <class Command>
Action refuse_command(Conversation& conversation, const Command& command, Reply reply) {
  if constexpr (std::is_same_v<Command, Bdat>) {
    return conversation.begin_chunk(command, std::move(reply));
  } else {
    return conversation.reject(std::move(reply));
  }
}

template <class Command>
Action refuse_syntax(Conversation& conversation, Reply reply) {
  if constexpr (std::is_same_v<Command, Bdat>) {
    return conversation.finish(reply);  // how many octets follow is unknown
  } else {
    return conversation.reject(std::move(reply));
  }
}

// The fixed order: parse all, check the state, act.
template <auto Parse, auto Handle>
Action run(Conversation& conversation, const VerbEntry& verb, std::string_view arguments) {
  auto command = Parse(arguments);
  using Command = typename decltype(command)::value_type;
  if (!command) return refuse_syntax<Command>(conversation, std::move(command.error()));
  if (auto refusal = check_state(conversation, verb)) {
    return refuse_command(conversation, *command, std::move(*refusal));
  }
  return Handle(conversation, std::move(*command));
}

template <class... Flags>
constexpr unsigned flags(Flags... flag) {
  return (0U | ... | static_cast<unsigned>(flag));
}

using enum Flag;

constexpr std::array kVerbs = {
    VerbEntry{"HELO", run<parse_helo, handle_helo>, flags(ends_group, idle)},
    VerbEntry{"EHLO", run<parse_ehlo, handle_ehlo>, flags(ends_group, idle)},
    VerbEntry{"MAIL", run<parse_mail, handle_mail>, flags(greeted, login, outside)},
    VerbEntry{"RCPT", run<parse_rcpt, handle_rcpt>, flags(greeted, login)},
    VerbEntry{"DATA", run<parse_data, handle_data>, flags(greeted, login, ends_group)},
    VerbEntry{"BDAT", run<parse_bdat, handle_bdat>, flags(greeted, login)},
    VerbEntry{"RSET", run<parse_rset, handle_rset>, flags(idle)},
    VerbEntry{"NOOP", run<parse_noop, handle_noop>, flags(ends_group, idle)},
    VerbEntry{"QUIT", run<parse_quit, handle_quit>, flags(ends_group)},
    VerbEntry{"HELP", run<parse_help, handle_help>, flags(ends_group, idle)},
    VerbEntry{"VRFY", run<parse_vrfy, handle_vrfy>, flags(greeted, ends_group, idle)},
    VerbEntry{"EXPN", run<parse_expn, handle_expn>, flags(greeted, ends_group, idle)},
    VerbEntry{"STARTTLS", run<parse_starttls, handle_starttls>,
              flags(greeted, outside, ends_group, idle)},
    VerbEntry{"AUTH", run<parse_auth, handle_auth>,
              flags(submission, greeted, encrypted, outside, ends_group, idle)},
};

// A browser made to talk to us carries its page's words in a request body: no second line is read.
bool is_http(std::string_view verb) {
  return verb == "GET" || verb == "POST" || verb == "PUT" || verb == "HEAD" || verb == "OPTIONS" ||
         verb == "CONNECT";
}

Action unknown(Conversation& conversation, std::string_view verb) {
  server_metrics::command(verb);
  if (is_http(verb)) {
    return conversation.finish({421, {4, 7, 0}, "This is SMTP", "HTTP request", Blame::client});
  }
  conversation.reject({500, {5, 5, 1}, "Unknown command", {}, Blame::client});
  return Action::flush;
}

}  // namespace

std::span<const VerbEntry> verbs() { return kVerbs; }

std::optional<Reply> check_state(const Conversation& conversation, const VerbEntry& verb) {
  const SessionInfo& info = conversation.info();
  if (verb.has(submission) && info.kind == Kind::mx)
    return Reply{
        502, {5, 5, 1}, std::string(verb.name) + " is not offered here", {}, Blame::client};
  if (verb.has(greeted) && info.hello.verb == Hello::Verb::none)
    return Reply{503, {5, 5, 1}, "Send EHLO first", {}, Blame::client};
  if (verb.has(encrypted) && !conversation.login_allowed())
    return Reply{538, {5, 7, 11}, "Encryption required, use STARTTLS first", {}, Blame::client};
  if (verb.has(login) && info.kind != Kind::mx && !info.identity)
    return Reply{530, {5, 7, 0}, "Authentication required", {}, Blame::client};
  if (verb.has(outside) && conversation.transaction().open) {
    return Reply{503,
                 {5, 5, 1},
                 std::string(verb.name) + " is not allowed in a mail transaction",
                 {},
                 Blame::client};
  }
  return std::nullopt;
}

Action dispatch(Conversation& conversation, std::string_view line) {
  const Verb verb = split_verb(line);
  for (const VerbEntry& entry : kVerbs) {
    if (entry.name != verb.name) continue;
    server_metrics::command(entry.name);
    auto& idle_commands = conversation.connection().idle_commands;
    if (entry.has(idle) && ++idle_commands > conversation.limits().idle_commands) {
      return conversation.finish(
          {421, {4, 7, 0}, "Too many commands without a message", "idle limit", Blame::client});
    }
    const Action action = entry.run(conversation, entry, verb.arguments);
    return action == Action::again && entry.has(ends_group) ? Action::flush : action;
  }
  return unknown(conversation, verb.name);
}

}  // namespace postern::smtp
