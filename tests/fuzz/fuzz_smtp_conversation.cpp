// A whole conversation against a backend that says yes or no by turns: never a crash, never an
// action out of place, and the same replies however the input is sliced.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "core/ascii.hpp"
#include "core/log.hpp"
#include "smtp/server/conversation.hpp"

using namespace postern;
using namespace postern::smtp;

namespace {

class NullSink final : public MessageSink {
 public:
  Task<Outcome<>> append(std::string_view) override { co_return Outcome<>{}; }
  Task<Reply> commit() override { co_return Reply{}; }
};

struct Peer {
  explicit Peer(Kind kind) : conversation(make_config(kind), make_info(kind)) {
    if (kind == Kind::submissions) conversation.tls_started({"TLSv1.3", "c", 256});
    conversation.greet();
  }

  static std::shared_ptr<const ServerConfig> make_config(Kind kind) {
    auto config = std::make_shared<ServerConfig>();
    config->kind = kind;
    config->limits.command_line = 200;
    config->limits.auth_line = 300;
    config->limits.text = {40, 500, 100, 5};
    config->limits.recipients = 3;
    config->limits.messages = 5;
    config->limits.auth_delay = std::chrono::milliseconds(0);
    config->tls = std::make_shared<tls::Context>(nullptr);
    config->budget = std::make_shared<ByteBudget>(100'000);
    return config;
  }
  static SessionInfo make_info(Kind kind) {
    SessionInfo info;
    info.kind = kind;
    return info;
  }

  Outcome<> verdict() {
    if (++asked % 4 == 0) return refuse(550, {5, 7, 1}, "no");
    return {};
  }

  void act(Action action) {
    switch (action) {
      case Action::again: std::abort();
      case Action::need_input:
      case Action::flush: output += conversation.take_output(); break;
      case Action::authenticate:
        if (conversation.credentials().password == "secret") {
          conversation.authenticated(Identity{});
        } else {
          conversation.authenticated(refuse(535, {5, 7, 8}, "no"));
        }
        break;
      case Action::check_sender: conversation.sender_checked(verdict()); break;
      case Action::check_recipient: conversation.recipient_checked(verdict()); break;
      case Action::begin_message: conversation.message_begun(std::make_unique<NullSink>()); break;
      case Action::append:
        if (conversation.piece().empty()) std::abort();
        text += conversation.piece();
        conversation.appended({});
        break;
      case Action::commit:
        if (conversation.envelope().recipients.empty()) std::abort();
        if (text.find('\0') != std::string::npos) std::abort();
        output += conversation.take_output() + "[" + std::exchange(text, {}) + "]";
        conversation.committed({250, {2, 0, 0}, "ok"});
        break;
      case Action::start_tls: conversation.tls_started({"TLSv1.3", "c", 256}); break;
      case Action::pause: break;
      case Action::close:
        output += conversation.take_output();
        closed = true;
        break;
    }
  }

  Conversation conversation;
  std::string output;
  std::string text;
  int asked = 0;
  bool closed = false;
};

std::string run(Kind kind, std::string_view input, std::size_t slice) {
  Peer peer(kind);
  while (!peer.closed) {
    const Action action = peer.conversation.next();
    peer.act(action);
    if (action != Action::need_input) continue;
    if (input.empty()) break;
    const auto room = peer.conversation.input().room();
    if (room.empty()) std::abort();
    const std::size_t n = std::min({slice, room.size(), input.size()});
    std::copy_n(input.data(), n, room.data());
    peer.conversation.input().commit(n);
    input.remove_prefix(n);
  }
  return peer.output;
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  log::configure(log::Level::error, log::Format::text, "/dev/null");
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const Kind kind = data[0] % 2 == 0 ? Kind::mx : Kind::submissions;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string once = run(kind, input, std::string_view::npos);
  const std::string bytewise = run(kind, input, 1);
  // STARTTLS looks at what has arrived so far, which slicing changes by design.
  const bool tls = ascii::to_upper(input).find("STARTTLS") != std::string::npos;
  if (!tls && once != bytewise) std::abort();
  return 0;
}
