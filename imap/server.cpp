#include "imap/server.hpp"

#include "imap/session.hpp"

namespace postern::imap {

void Server::accept(asio::ip::tcp::socket socket, Security security) const {
  Session::start(std::make_shared<Session>(std::move(socket), security, backend_, options_),
                 registry_);
}

}  // namespace postern::imap
