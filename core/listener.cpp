#include "core/listener.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <boost/asio/ip/v6_only.hpp>

#include "core/accept_loop.hpp"

namespace postern {

namespace {
using Tcp = asio::ip::tcp;
using boost::system::error_code;
using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

constexpr int kBacklog = 4096;  // the kernel lowers it to net.core.somaxconn

std::string name_of(const Tcp::endpoint& address) {
  return address.address().is_v6()
             ? fmt::format("[{}]:{}", address.address().to_string(), address.port())
             : fmt::format("{}:{}", address.address().to_string(), address.port());
}

enum class Share : std::uint8_t { alone, with_siblings };

error_code bind_to(Tcp::acceptor& acceptor, const Tcp::endpoint& address, Share share) {
  error_code ec;
  acceptor.open(address.protocol(), ec);
  if (!ec) acceptor.set_option(Tcp::acceptor::reuse_address(true), ec);
  if (!ec && share == Share::with_siblings) acceptor.set_option(ReusePort(true), ec);
  // An IPv6 socket is for IPv6 only, so that [::] and 0.0.0.0 can be listed side by side.
  if (!ec && address.address().is_v6()) acceptor.set_option(asio::ip::v6_only(true), ec);
  if (!ec) acceptor.bind(address, ec);
  return ec;
}

// With SO_REUSEPORT a second server started by mistake would bind without a word and take half of
// the connections; a socket without it shows whether the address is free.
error_code check_free(asio::io_context& context, const Tcp::endpoint& address) {
  if (address.port() == 0) return {};
  Tcp::acceptor probe(context);
  return bind_to(probe, address, Share::alone);
}
}  // namespace

struct Listener::Impl {
  Tcp::endpoint address;
  std::vector<std::shared_ptr<AcceptLoop<Tcp>>> loops;
};

Result<std::unique_ptr<Listener>> Listener::bind(Runtime& runtime, Tcp::endpoint address,
                                                 OnAccept on_accept) {
  const auto describe = [&address](const error_code& ec) {
    return fail(Errc::io, fmt::format("cannot listen on {}: {}", name_of(address), ec.message()));
  };
  if (const auto ec = check_free(runtime.context(0), address)) return describe(ec);
  auto impl = std::make_shared<Impl>();
  for (std::size_t i = 0; i < runtime.size(); ++i) {
    Tcp::acceptor acceptor(runtime.context(i));
    error_code ec = bind_to(acceptor, address, Share::with_siblings);
    if (!ec) acceptor.listen(kBacklog, ec);
    if (!ec && i == 0) address = acceptor.local_endpoint(ec);
    if (ec) return describe(ec);
    impl->loops.push_back(std::make_shared<AcceptLoop<Tcp>>(
        std::move(acceptor), name_of(address),
        [on_accept, i](Socket socket) { on_accept(std::move(socket), i); }));
  }
  impl->address = address;
  return std::unique_ptr<Listener>(new Listener(std::move(impl)));
}

Listener::Listener(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

Listener::~Listener() { stop_accepting(); }

Tcp::endpoint Listener::address() const { return impl_->address; }

void Listener::start() {
  for (auto& loop : impl_->loops) loop->start();
}

void Listener::stop_accepting() {
  for (auto& loop : impl_->loops) loop->stop();
}

}  // namespace postern
