#include "imap/store_backend.hpp"

#include "core/ip_address.hpp"
#include "imap/store_account.hpp"

namespace postern::imap {

StoreBackend::StoreBackend(accounts::Authenticator& authenticator, mailbox::MailboxStore& store)
    : authenticator_(&authenticator), store_(&store), recent_(std::make_shared<RecentTracker>()) {}

Task<Result<std::unique_ptr<Account>>> StoreBackend::authenticate(std::string login,
                                                                  std::string password,
                                                                  std::string remote) {
  const auto address = parse_ip(remote).value_or(asio::ip::address());
  auto verified = co_await authenticator_->verify(std::move(login), std::move(password), address,
                                                  accounts::Protocol::imap);
  if (!verified) co_return std::unexpected(verified.error());
  auto account =
      std::make_unique<StoreAccount>(*authenticator_, *store_, recent_, std::move(*verified));
  const auto prepared = co_await account->prepare();
  // The login was right: whatever this is, it must not read as a wrong password.
  if (!prepared) co_return fail(Errc::temporary, prepared.error().message);
  co_return std::unique_ptr<Account>(std::move(account));
}

}  // namespace postern::imap
