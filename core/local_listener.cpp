#include "core/local_listener.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "core/accept_loop.hpp"

namespace postern {

namespace {
using Local = asio::local::stream_protocol;
using boost::system::error_code;

constexpr int kBacklog = 128;
constexpr ::mode_t kOwnerOnly = S_IRUSR | S_IWUSR;
constexpr ::mode_t kEverybody = kOwnerOnly | S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH;
constexpr std::size_t kMaxPath = sizeof(::sockaddr_un::sun_path) - 1;

std::unexpected<Error> trouble(const std::string& path, const std::string& what) {
  return fail(Errc::io, fmt::format("cannot listen on {}: {}", path, what));
}

// Removes a socket that nobody answers on any more; anything else at the path is left alone.
Result<void> clear_stale(asio::io_context& context, const std::string& path) {
  struct ::stat found{};
  if (::lstat(path.c_str(), &found) != 0) {
    if (errno == ENOENT) return {};
    return trouble(path, std::strerror(errno));
  }
  if (!S_ISSOCK(found.st_mode)) return fail(Errc::exists, path + " exists and is not a socket");
  error_code ec;
  Local::socket probe(context);
  probe.connect(Local::endpoint(path), ec);
  if (!ec) return fail(Errc::exists, "another server answers on " + path);
  if (ec != asio::error::connection_refused) return trouble(path, ec.message());
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return trouble(path, std::strerror(errno));
  return {};
}

Result<void> bind_with_mode(Local::acceptor& acceptor, const std::string& path, ::mode_t mode) {
  error_code ec;
  acceptor.open(Local(), ec);
  // The socket's own mode limits that of the file from its first moment, whatever the umask, which
  // belongs to the whole process. chmod then adds what a strict umask took.
  if (!ec && ::fchmod(acceptor.native_handle(), mode) != 0)
    return trouble(path, std::strerror(errno));
  if (!ec) acceptor.bind(Local::endpoint(path), ec);
  if (!ec && ::chmod(path.c_str(), mode) != 0) return trouble(path, std::strerror(errno));
  if (!ec) acceptor.listen(kBacklog, ec);
  if (ec) return trouble(path, ec.message());
  return {};
}
}  // namespace

struct LocalListener::Impl {
  std::string path;
  std::shared_ptr<AcceptLoop<Local>> loop;
  struct ::stat file{};
  std::atomic<bool> removed{false};

  // Only the file that this listener made: a later server may have put its own there.
  void remove_file() {
    if (removed.exchange(true)) return;
    struct ::stat now{};
    if (::lstat(path.c_str(), &now) == 0 && now.st_ino == file.st_ino &&
        now.st_dev == file.st_dev) {
      ::unlink(path.c_str());
    }
  }
};

Result<std::unique_ptr<LocalListener>> LocalListener::bind(Runtime& runtime, std::string path,
                                                           OnAccept on_accept,
                                                           SocketAccess access) {
  if (path.empty() || path.size() > kMaxPath) {
    return fail(Errc::invalid,
                fmt::format("the socket's path is longer than {} bytes: {}", kMaxPath, path));
  }
  auto& context = runtime.context(0);
  if (auto cleared = clear_stale(context, path); !cleared) return std::unexpected(cleared.error());
  Local::acceptor acceptor(context);
  const auto mode = access == SocketAccess::owner ? kOwnerOnly : kEverybody;
  if (auto bound = bind_with_mode(acceptor, path, mode); !bound)
    return std::unexpected(bound.error());
  auto impl = std::make_shared<Impl>();
  if (::lstat(path.c_str(), &impl->file) != 0) return trouble(path, std::strerror(errno));
  impl->loop = std::make_shared<AcceptLoop<Local>>(std::move(acceptor), path, std::move(on_accept));
  impl->path = std::move(path);
  return std::unique_ptr<LocalListener>(new LocalListener(std::move(impl)));
}

LocalListener::LocalListener(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

LocalListener::~LocalListener() { stop_accepting(); }

void LocalListener::start() { impl_->loop->start(); }

void LocalListener::stop_accepting() {
  impl_->loop->stop();
  impl_->remove_file();
}

}  // namespace postern
