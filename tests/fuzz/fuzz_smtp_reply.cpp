// Hostile servers: reply bytes into the parser, whole and split, and into a whole client
// conversation.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "smtp/delivery/client_fsm.hpp"

namespace {
using namespace postern;
using smtp::delivery::ClientFsm;

std::size_t count_replies(std::string_view input, std::size_t step) {
  smtp::delivery::ReplyParser parser;
  std::size_t replies = 0;
  while (!input.empty()) {
    auto piece = input.substr(0, step);
    input.remove_prefix(piece.size());
    while (!piece.empty()) {
      const auto reply = parser.feed(piece);
      if (!reply) return replies;
      if (!*reply) break;
      if ((*reply)->text.size() > smtp::queue::kMaxReplyText) std::abort();
      ++replies;
    }
  }
  return replies;
}

void converse(std::string_view input) {
  auto message = std::make_shared<smtp::queue::QueuedMessage>();
  message->envelope.return_path = "a@b.example";
  message->envelope.size = 10;
  message->recipients.resize(3);
  ClientFsm fsm({.hostname = "h.example",
                 .tls = smtp::delivery::TlsPolicy::opportunistic,
                 .peer = "p.example"});
  std::size_t transactions = 0;
  for (std::size_t steps = 0; steps < 10'000; ++steps) {
    const auto action = fsm.next();
    switch (action.what) {
      case ClientFsm::Do::send: break;
      case ClientFsm::Do::read: {
        if (input.empty()) return fsm.eof("end");
        const auto size = std::min<std::size_t>(input.size(), 1 + steps % 97);
        fsm.feed(input.substr(0, size));
        input.remove_prefix(size);
        break;
      }
      case ClientFsm::Do::start_tls: fsm.tls_started(); break;
      case ClientFsm::Do::send_body: fsm.body_sent(); break;
      case ClientFsm::Do::idle:
        if (const auto result = fsm.take_result(); result && result->recipients.size() != 3)
          std::abort();
        if (++transactions > 5) return;
        fsm.begin({message, message->recipients});
        break;
      case ClientFsm::Do::close: return;
    }
  }
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (count_replies(input, 1) != count_replies(input, size == 0 ? 1 : size)) std::abort();
  converse(input);
  return 0;
}
