#include "smtp/reception/reception.hpp"

#include "core/ascii.hpp"
#include "smtp/reception/inbound.hpp"
#include "smtp/reception/recipient_address.hpp"
#include "smtp/reception/replies.hpp"
#include "smtp/reception/submission.hpp"

namespace postern::smtp::reception {

namespace {

class Sink final : public MessageSink {
 public:
  Sink(const Environment& environment, OutboundSigner& signer, const SessionInfo& session,
       const Envelope& envelope)
      : environment_(environment),
        signer_(signer),
        session_(session),
        envelope_(envelope),
        spool_(environment, session, envelope) {}

  Task<Outcome<>> append(std::string_view bytes) override {
    auto taken = co_await spool_.append(bytes);
    if (!taken) co_return refuse(temporary(taken.error()));
    co_return Outcome<>{};
  }

  Task<Reply> commit() override {
    auto received = co_await spool_.finish();
    if (!received) co_return temporary(received.error());
    if (session_.identity) {
      co_return co_await accept_submission(environment_, signer_, session_, envelope_,
                                           std::move(*received));
    }
    co_return co_await accept_inbound(environment_, session_, envelope_, std::move(*received));
  }

 private:
  const Environment& environment_;
  OutboundSigner& signer_;
  const SessionInfo& session_;
  const Envelope& envelope_;
  MessageSpool spool_;
};

accounts::Identity identity_of(const SessionInfo& session) {
  return {session.identity->tenant, session.identity->account};
}

}  // namespace

Task<Outcome<Identity>> Reception::authenticate(const SessionInfo& session,
                                                const Credentials& credentials) {
  auto login = co_await environment_.authenticator->verify(
      credentials.login, credentials.password, session.remote.address(), accounts::Protocol::smtp);
  if (login) {
    co_return Identity{login->identity.tenant, login->identity.account, login->credential,
                       login->address};
  }
  if (login.error().code == Errc::denied) {
    co_return refuse(535, {5, 7, 8}, "Wrong user name or password");
  }
  if (login.error().code == Errc::too_large) {
    co_return refuse(454, {4, 7, 0}, "Too many failed logins, try again later");
  }
  Reply later{454,
              {4, 7, 0},
              "Logging in is not possible now, try again later",
              login.error().message,
              Blame::server};
  co_return refuse(std::move(later));
}

Task<Outcome<>> Reception::check_sender(const SessionInfo& session, const Envelope& envelope) {
  if (session.kind == Kind::mx || envelope.return_path.is_null()) co_return Outcome<>{};
  const std::string address = to_string(envelope.return_path);
  auto allowed = co_await environment_.directory->may_send_as(identity_of(session), address);
  if (!allowed && allowed.error().code != Errc::invalid)
    co_return refuse(temporary(allowed.error()));
  if (!allowed || !*allowed) co_return refuse(wrong_sender(address));
  co_return Outcome<>{};
}

Task<Outcome<>> Reception::check_recipient(const SessionInfo& session, const Envelope&,
                                           const Recipient& recipient) {
  auto whose = co_await find_recipient(environment_, recipient.path);
  if (!whose) co_return refuse(temporary(whose.error()));
  const auto verdict = whose->resolution->verdict;
  if (verdict == accounts::Verdict::deliver) co_return Outcome<>{};
  if (verdict == accounts::Verdict::not_hosted && session.kind != Kind::mx) co_return Outcome<>{};
  co_return refuse(recipient_refusal(verdict));
}

Task<Outcome<std::unique_ptr<MessageSink>>> Reception::begin_message(const SessionInfo& session,
                                                                     const Envelope& envelope) {
  std::unique_ptr<MessageSink> sink =
      std::make_unique<Sink>(environment_, signer_, session, envelope);
  co_return sink;
}

}  // namespace postern::smtp::reception
