#include "tests/security/smtp_door.hpp"

#include <algorithm>

#include "tests/security/text.hpp"

namespace postern::test {

using smtp::Action;

namespace {

std::shared_ptr<smtp::ServerConfig> make_config(House& house, smtp::Kind kind) {
  auto config = std::make_shared<smtp::ServerConfig>();
  config->hostname = "mail.house.example";
  config->kind = kind;
  config->budget = house.parts->budget;
  config->limits.errors = 10'000;
  config->limits.idle_commands = 10'000;
  config->limits.auth_failures = 10'000;
  return config;
}

smtp::SessionInfo make_info(smtp::Kind kind) {
  smtp::SessionInfo info;
  info.id = "session";
  info.kind = kind;
  info.remote = {asio::ip::make_address("192.0.2.7"), 4321};
  info.local = {asio::ip::make_address("127.0.0.1"), 25};
  return info;
}

}  // namespace

SmtpDoor::SmtpDoor(House& house, smtp::Backend& backend, smtp::Kind kind)
    : house_(house), backend_(backend), conversation_(make_config(house, kind), make_info(kind)) {
  if (kind == smtp::Kind::submissions) conversation_.tls_started({"TLSv1.3", "AES", 256});
  conversation_.greet();
  REQUIRE(say("EHLO out.remote.example\r\n").contains("\r\n250 "));
}

bool SmtpDoor::log_in(const std::string& address, const std::string& password) {
  return say("AUTH PLAIN " + sasl_plain("", address, password) + "\r\n").starts_with("235");
}

std::string SmtpDoor::say(std::string_view input) {
  output_.clear();
  while (!closed_) {
    const auto action = conversation_.next();
    if (action != Action::need_input) {
      act(action);
      continue;
    }
    output_ += conversation_.take_output();
    if (input.empty()) break;
    const auto room = conversation_.input().room();
    const auto size = std::min(input.size(), room.size());
    std::copy_n(input.data(), size, room.data());
    conversation_.input().commit(size);
    input.remove_prefix(size);
  }
  return output_;
}

void SmtpDoor::act(Action action) {
  auto& talk = conversation_;
  switch (action) {
    case Action::again:
    case Action::need_input:
    case Action::pause: break;
    case Action::flush: output_ += talk.take_output(); break;
    case Action::authenticate:
      talk.authenticated(house_.run(backend_.authenticate(talk.info(), talk.credentials())));
      break;
    case Action::check_sender:
      talk.sender_checked(house_.run(backend_.check_sender(talk.info(), talk.envelope())));
      break;
    case Action::check_recipient:
      talk.recipient_checked(
          house_.run(backend_.check_recipient(talk.info(), talk.envelope(), talk.candidate())));
      break;
    case Action::begin_message:
      talk.message_begun(house_.run(backend_.begin_message(talk.info(), talk.envelope())));
      break;
    case Action::append: talk.appended(house_.run(talk.sink().append(talk.piece()))); break;
    case Action::commit: talk.committed(house_.run(talk.sink().commit())); break;
    case Action::start_tls:
      output_ += talk.take_output();
      talk.tls_started({"TLSv1.3", "AES", 256});
      break;
    case Action::close:
      output_ += talk.take_output();
      closed_ = true;
      break;
  }
}

}  // namespace postern::test
