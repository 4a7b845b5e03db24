// Drives a Conversation as a session would, without sockets: scripted backend, recorded messages.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "smtp/server/conversation.hpp"

namespace postern::smtp::test {

struct Received {
  Envelope envelope;
  std::string text;
};

/// The backend's answers; what isn't scripted is accepted.
struct Script {
  std::map<std::string, std::string> passwords{{"ann@a.example", "secret"}};
  std::map<std::string, Reply> senders{};  ///< by to_string(path)
  std::map<std::string, Reply> recipients{};
  std::optional<Reply> begin{};
  std::optional<Reply> append{};  ///< at the first append
  std::optional<Reply> commit{};
  std::vector<Received> accepted{};
  int sinks_alive = 0;
  int logins = 0;
};

/// Never asked by this driver (it answers the actions itself); its life is what is watched.
class WatchedSink final : public MessageSink {
 public:
  explicit WatchedSink(Script& script) : script_(script) { ++script_.sinks_alive; }
  ~WatchedSink() override { --script_.sinks_alive; }
  Task<Outcome<>> append(std::string_view) override { co_return Outcome<>{}; }
  Task<Reply> commit() override { co_return Reply{}; }

 private:
  Script& script_;
};

inline std::shared_ptr<ServerConfig> make_config(Kind kind = Kind::mx) {
  auto config = std::make_shared<ServerConfig>();
  config->hostname = "mx.example";
  config->kind = kind;
  config->limits.auth_delay = std::chrono::milliseconds(0);
  return config;
}

inline SessionInfo make_session(Kind kind = Kind::mx) {
  SessionInfo info;
  info.id = "session";
  info.kind = kind;
  info.remote = {asio::ip::make_address("192.0.2.7"), 4321};
  info.local = {asio::ip::make_address("127.0.0.1"), 25};
  return info;
}

class Driver {
 public:
  explicit Driver(std::shared_ptr<ServerConfig> config = make_config())
      : config_(config), conversation(config, make_session(config->kind)) {
    if (config->kind == Kind::submissions) conversation.tls_started({"TLSv1.3", "AES", 256});
    conversation.greet();
    banner = say("");
  }

  /// Sends, at most `slice` octets a read; gives all replies.
  std::string say(std::string_view input, std::size_t slice = std::string_view::npos) {
    std::string output;
    for (;;) {
      if (closed) return output;
      const Action action = conversation.next();
      if (action != Action::need_input) {
        act(action, output);
        continue;
      }
      output += conversation.take_output();
      if (input.empty()) return output;
      const auto room = conversation.input().room();
      const std::size_t n = std::min({slice, input.size(), room.size()});
      std::copy_n(input.data(), n, room.data());
      conversation.input().commit(n);
      input.remove_prefix(n);
    }
  }

  /// The reply codes of say(), a space between: "250 250 354".
  std::string codes(std::string_view input, std::size_t slice = std::string_view::npos) {
    return codes_of(say(input, slice));
  }

  static std::string codes_of(std::string_view replies) {
    std::string out;
    while (replies.size() >= 4) {
      if (replies[3] == ' ') out.append(out.empty() ? "" : " ").append(replies.substr(0, 3));
      const auto end = replies.find("\r\n");
      replies.remove_prefix(end == std::string_view::npos ? replies.size() : end + 2);
    }
    return out;
  }

 private:
  std::shared_ptr<ServerConfig> config_;

 public:
  Script script;  // outlives the conversation and its sinks
  Conversation conversation;
  std::string banner;
  std::vector<std::chrono::milliseconds> pauses;
  std::vector<std::string> flushes;  ///< what each flush wrote
  std::string text;                  ///< of the message under way
  bool closed = false;
  bool tls_asked = false;

 private:
  template <class Map>
  static Outcome<> look_up(const Map& map, const Path& path) {
    const auto found = map.find(to_string(path));
    if (found != map.end()) return refuse(found->second);
    return {};
  }

  Outcome<Identity> log_in() {
    ++script.logins;
    const Credentials& credentials = conversation.credentials();
    const auto found = script.passwords.find(credentials.login);
    if (found == script.passwords.end() || found->second != credentials.password)
      return refuse(535, {5, 7, 8}, "Authentication credentials invalid");
    return Identity{TenantId::make(), AccountId::make(), CredentialId::make(), credentials.login};
  }

  Outcome<> append() {
    text += conversation.piece();
    if (script.append) return refuse(*script.append);
    return {};
  }

  Reply commit() {
    if (script.commit) return *script.commit;
    script.accepted.push_back({conversation.envelope(), std::exchange(text, {})});
    return {250, {2, 0, 0}, "queued"};
  }

  void act(Action action, std::string& output) {
    switch (action) {
      case Action::again:
      case Action::need_input: break;
      case Action::flush:
        flushes.push_back(conversation.take_output());
        output += flushes.back();
        break;
      case Action::authenticate: conversation.authenticated(log_in()); break;
      case Action::check_sender:
        conversation.sender_checked(look_up(script.senders, conversation.envelope().return_path));
        break;
      case Action::check_recipient:
        conversation.recipient_checked(look_up(script.recipients, conversation.candidate().path));
        break;
      case Action::begin_message:
        text.clear();
        if (script.begin) {
          conversation.message_begun(refuse(*script.begin));
        } else {
          conversation.message_begun(std::make_unique<WatchedSink>(script));
        }
        break;
      case Action::append: conversation.appended(append()); break;
      case Action::commit: conversation.committed(commit()); break;
      case Action::start_tls:
        tls_asked = true;
        output += conversation.take_output();
        conversation.tls_started({"TLSv1.3", "TLS_AES_256_GCM_SHA384", 256});
        break;
      case Action::pause: pauses.push_back(conversation.pause_time()); break;
      case Action::close:
        output += conversation.take_output();
        closed = true;
        break;
    }
  }
};

}  // namespace postern::smtp::test
