// A client's connection to the SMTP server over a House: the real protocol and the real acceptance,
// without sockets. Owner: a test; the house and the reception outlive it.
#pragma once

#include <string>
#include <string_view>

#include "smtp/reception/reception.hpp"
#include "smtp/server/conversation.hpp"
#include "tests/security/house.hpp"

namespace postern::test {

class SmtpDoor {
 public:
  /// After EHLO; a submission listener's is encrypted.
  SmtpDoor(House& house, smtp::Backend& backend, smtp::Kind kind);

  /// Sends; gives all replies.
  std::string say(std::string_view input);
  /// AUTH PLAIN; whether it was accepted.
  bool log_in(const std::string& address, const std::string& password);

 private:
  void act(smtp::Action action);

  House& house_;
  smtp::Backend& backend_;
  smtp::Conversation conversation_;
  std::string output_;
  bool closed_ = false;
};

}  // namespace postern::test
