#include "smtp/reception/replies.hpp"

#include <fmt/format.h>

namespace postern::smtp::reception {

Reply temporary(const Error& error) {
  const std::string cause = fmt::format("{}: {}", to_string(error.code), error.message);
  if (error.code == Errc::overloaded) {
    return {452, {4, 3, 1}, "Not enough room now, try again later", cause, Blame::server};
  }
  return {451, {4, 3, 0}, "Not possible now, try again later", cause, Blame::server};
}

Reply recipient_refusal(accounts::Verdict verdict) {
  switch (verdict) {
    case accounts::Verdict::not_hosted:
      return {550, {5, 7, 1}, "Relaying is not allowed", {}, Blame::policy};
    case accounts::Verdict::no_mailbox:
      return {550, {5, 1, 1}, "No such mailbox here", {}, Blame::client};
    case accounts::Verdict::suspended:
      return {550, {5, 2, 1}, "This mailbox takes no mail", {}, Blame::policy};
    case accounts::Verdict::unavailable:
    case accounts::Verdict::deliver: break;
  }
  return {451, {4, 2, 0}, "This mailbox takes no mail now, try again later", {}, Blame::server};
}

Reply wrong_sender(std::string_view address) {
  return {553, {5, 7, 1}, fmt::format("You may not send as <{}>", address), {}, Blame::policy};
}

Reply queued(std::string_view id) {
  return {250, {2, 0, 0}, fmt::format("queued as {}", id), {}, Blame::none};
}

}  // namespace postern::smtp::reception
