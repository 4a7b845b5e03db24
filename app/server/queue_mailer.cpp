#include "app/server/queue_mailer.hpp"

#include <string>

#include "core/ascii.hpp"
#include "core/log.hpp"
#include "message/address.hpp"
#include "message/email_address.hpp"
#include "smtp/reception/origination.hpp"

namespace postern::server {

namespace {

smtp::reception::Origination make_origination(TenantId tenant, const message::Mailbox& from,
                                              accounts::Mail mail) {
  smtp::reception::Origination out;
  out.tenant = tenant;
  // Not the null path: SPF then speaks for the From domain, and only reports must have that one
  // (RFC 5321 §4.5.5).
  out.return_path = from.address;
  out.message.from.push_back(from);
  out.message.to.push_back({{}, std::move(mail.to)});
  out.message.subject = std::move(mail.subject);
  out.message.text = std::move(mail.text);
  out.lane = mail.lane;
  out.deadline = mail.deadline;
  out.stream = "account";
  out.origin = "server";
  return out;
}

}  // namespace

Result<message::Mailbox> parse_mail_from(std::string_view text) {
  const auto trimmed = ascii::trim(text);
  const auto mailboxes = message::parse_mailboxes(trimmed);
  if (mailboxes.size() != 1) return fail(Errc::invalid, "mail_from must be one address");
  const std::string spec = mailboxes.front().addr_spec();
  // The parser of header fields skips what it doesn't understand; here nothing may be left over.
  if (trimmed != spec && !trimmed.ends_with("<" + spec + ">"))
    return fail(Errc::invalid, "mail_from must be an address, or a name and an address in <>");
  const auto address = message::parse_email(spec, message::AddressCharset::utf8);
  if (!address) return fail(Errc::invalid, "mail_from: " + address.error().message);
  if (address->is_address_literal())
    return fail(Errc::invalid, "mail_from must be in a domain: an address literal has none");
  return message::Mailbox{mailboxes.front().display_name(), address->text()};
}

Task<Result<MessageId>> QueueMailer::place(accounts::Mail mail) {
  auto tenant = co_await tenant_->id();
  if (!tenant) co_return std::unexpected(tenant.error());
  co_return co_await smtp::reception::originate(environment_, signer_,
                                                make_origination(*tenant, from_, std::move(mail)));
}

Task<Result<void>> QueueMailer::send(accounts::Mail mail) {
  auto id = co_await place(std::move(mail));
  if (!id) {
    log::warn("account_mail_not_sent",
              {{"code", to_string(id.error().code)}, {"error", id.error().message}});
    co_return std::unexpected(id.error());
  }
  log::info("account_mail_sent", {{"id", id->text()}});
  co_return Result<void>{};
}

}  // namespace postern::server
