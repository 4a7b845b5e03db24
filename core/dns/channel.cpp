#include "core/dns/channel.hpp"

#include <ares.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <stdexcept>
#include <unordered_map>
#include <utility>

#include "core/dns/message.hpp"

namespace postern::dns {

namespace {
using boost::system::error_code;

// A socket of c-ares. c-ares opens and closes it; the descriptor here only waits, and lets go
// first.
struct Watch {
  explicit Watch(asio::io_context& context) : descriptor(context) {}
  asio::posix::stream_descriptor descriptor;
  bool open = true;
  bool want_read = false;
  bool want_write = false;
  bool reading = false;  // a wait is pending
  bool writing = false;
};

void initialize_library() {
  static const int status = ares_library_init(ARES_LIB_INIT_ALL);
  if (status != ARES_SUCCESS)
    throw std::runtime_error("c-ares: " + std::string(ares_strerror(status)));
}

std::string join(const std::vector<std::string>& servers) {
  std::string out;
  for (const auto& server : servers) out += (out.empty() ? "" : ",") + server;
  return out;
}
}  // namespace

struct Channel::Impl : std::enable_shared_from_this<Channel::Impl> {
  explicit Impl(asio::io_context& io) : context(io), timer(io) {}
  ~Impl() { close(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  asio::io_context& context;
  asio::steady_timer timer;
  ares_channel channel = nullptr;
  std::unordered_map<ares_socket_t, std::shared_ptr<Watch>> watches;
  bool closing = false;

  void open(const Options& options);
  void close() {
    closing = true;
    timer.cancel();
    if (channel != nullptr) ares_destroy(std::exchange(channel, nullptr));
  }

  // c-ares says here what it waits for on a socket; nothing at all means that it closes it next.
  static void on_socket_state(void* self, ares_socket_t socket, int readable, int writable) {
    static_cast<Impl*>(self)->watch(socket, readable != 0, writable != 0);
  }
  void watch(ares_socket_t socket, bool read, bool write);
  void wait(const std::shared_ptr<Watch>& watch, ares_socket_t socket);
  void process(ares_socket_t read, ares_socket_t write) {
    if (closing) return;
    ares_process_fd(channel, read, write);
    schedule();
  }
  void schedule();
};

void Channel::Impl::open(const Options& options) {
  initialize_library();
  ares_options settings{};
  settings.flags = ARES_FLAG_EDNS | ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES;
  settings.timeout = options.timeout_ms;
  settings.tries = options.tries;
  settings.ednspsz = kUdpPayload;
  settings.sock_state_cb = &Impl::on_socket_state;
  settings.sock_state_cb_data = this;
  int status = ares_init_options(&channel, &settings,
                                 ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
                                     ARES_OPT_EDNSPSZ | ARES_OPT_SOCK_STATE_CB);
  if (status == ARES_SUCCESS && !options.servers.empty()) {
    status = ares_set_servers_ports_csv(channel, join(options.servers).c_str());
  }
  if (status == ARES_SUCCESS) return;
  throw std::runtime_error("DNS servers " + join(options.servers) + ": " + ares_strerror(status));
}

void Channel::Impl::watch(ares_socket_t socket, bool read, bool write) {
  auto found = watches.find(socket);
  if (!read && !write) {
    if (found == watches.end()) return;
    found->second->open = false;
    found->second->descriptor.release();
    watches.erase(found);
    return;
  }
  if (found == watches.end()) {
    auto fresh = std::make_shared<Watch>(context);
    error_code ec;
    fresh->descriptor.assign(socket, ec);
    if (ec) return;  // unwatched, the query ends by its time limit
    found = watches.emplace(socket, std::move(fresh)).first;
  }
  found->second->want_read = read;
  found->second->want_write = write;
  wait(found->second, socket);
}

void Channel::Impl::wait(const std::shared_ptr<Watch>& watch, ares_socket_t socket) {
  using Descriptor = asio::posix::stream_descriptor;
  if (watch->want_read && !watch->reading) {
    watch->reading = true;
    watch->descriptor.async_wait(Descriptor::wait_read,
                                 [weak = weak_from_this(), watch, socket](error_code ec) {
                                   watch->reading = false;
                                   const auto self = weak.lock();
                                   if (!self || ec || !watch->open) return;
                                   self->process(socket, ARES_SOCKET_BAD);
                                   if (watch->open) self->wait(watch, socket);
                                 });
  }
  if (watch->want_write && !watch->writing) {
    watch->writing = true;
    watch->descriptor.async_wait(Descriptor::wait_write,
                                 [weak = weak_from_this(), watch, socket](error_code ec) {
                                   watch->writing = false;
                                   const auto self = weak.lock();
                                   if (!self || ec || !watch->open) return;
                                   self->process(ARES_SOCKET_BAD, socket);
                                   if (watch->open) self->wait(watch, socket);
                                 });
  }
}

void Channel::Impl::schedule() {
  timeval next{};
  if (closing || ares_timeout(channel, nullptr, &next) == nullptr) {
    timer.cancel();
    return;
  }
  timer.expires_after(std::chrono::seconds(next.tv_sec) + std::chrono::microseconds(next.tv_usec));
  timer.async_wait([weak = weak_from_this()](error_code ec) {
    if (ec) return;
    if (const auto self = weak.lock()) self->process(ARES_SOCKET_BAD, ARES_SOCKET_BAD);
  });
}

Channel::Channel(asio::io_context& context, const Options& options)
    : impl_(std::make_shared<Impl>(context)) {
  impl_->open(options);
}

Channel::~Channel() { impl_->close(); }

void Channel::send(const std::string& query, Done done) {
  if (impl_->closing) return done({});
  auto* pending = new Done(std::move(done));  // c-ares calls back exactly once, and so frees it
  ares_send(
      impl_->channel, reinterpret_cast<const unsigned char*>(query.data()),
      static_cast<int>(query.size()),
      [](void* argument, int status, int, unsigned char* data, int size) {
        const std::unique_ptr<Done> callback(static_cast<Done*>(argument));
        if (status != ARES_SUCCESS || data == nullptr || size <= 0) return (*callback)({});
        (*callback)({reinterpret_cast<const char*>(data), static_cast<std::size_t>(size)});
      },
      pending);
  impl_->schedule();
}

bool Channel::local_servers_only() const {
  ares_addr_port_node* servers = nullptr;
  if (ares_get_servers_ports(impl_->channel, &servers) != ARES_SUCCESS) return false;
  bool all = servers != nullptr;
  for (const auto* server = servers; server != nullptr; server = server->next) {
    if (server->family == AF_INET) {
      all = all && (ntohl(server->addr.addr4.s_addr) >> 24) == 127;
    } else {
      asio::ip::address_v6::bytes_type bytes{};
      std::copy_n(reinterpret_cast<const unsigned char*>(&server->addr.addr6), bytes.size(),
                  bytes.begin());
      all = all && asio::ip::address_v6(bytes).is_loopback();
    }
  }
  ares_free_data(servers);
  return all;
}

}  // namespace postern::dns
