#include "app/server/init.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "app/server/stores.hpp"
#include "config/loader.hpp"
#include "config/render.hpp"
#include "core/tls/context.hpp"
#include "storage/keystore.hpp"

namespace postern::server {

namespace fs = std::filesystem;

namespace {

config::Listen listen(config::ListenKind kind, const std::string& host, int port) {
  return {kind, fmt::format("{}:{}", host, port)};
}

std::vector<config::Listen> listeners(Profile profile) {
  using enum config::ListenKind;
  const std::string loopback = "127.0.0.1";
  if (profile == Profile::local) {
    return {listen(mx, loopback, 2525),          listen(submission, loopback, 2587),
            listen(submissions, loopback, 2465), listen(imap, loopback, 2143),
            listen(imaps, loopback, 2993),       listen(metrics, loopback, 2090)};
  }
  std::vector<config::Listen> out;
  for (const std::string any : {"0.0.0.0", "[::]"}) {
    out.push_back(listen(mx, any, 25));
    out.push_back(listen(submission, any, 587));
    out.push_back(listen(submissions, any, 465));
    out.push_back(listen(imap, any, 143));
    out.push_back(listen(imaps, any, 993));
  }
  out.push_back(listen(metrics, loopback, 2090));
  return out;
}

Result<void> write_file(const fs::path& path, const std::string& text, mode_t mode) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) return fail(Errc::io, fmt::format("{}: {}", path.string(), std::strerror(errno)));
  const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       ::fsync(fd) == 0;
  ::close(fd);
  if (!written) return fail(Errc::io, fmt::format("{}: could not be written", path.string()));
  return {};
}

Result<void> write_certificate(const config::Settings& settings) {
  auto made = tls::make_self_signed(settings.hostname);
  if (!made) return std::unexpected(made.error());
  std::error_code error;
  fs::create_directories(settings.tls.certificate.parent_path(), error);
  if (auto written = write_file(settings.tls.certificate, made->certificate_pem, 0644); !written)
    return written;
  return write_file(settings.tls.key, made->key_pem, 0600);
}

Result<void> fill(const InitOptions& options, const fs::path& data) {
  config::Settings settings;
  settings.hostname = options.hostname;
  settings.data = data;
  settings.tls.certificate = data / "tls" / "certificate.pem";
  settings.tls.key = data / "tls" / "key.pem";
  settings.listen = listeners(options.profile);
  const std::string text = config::render_settings(settings);
  auto checked = config::load_text(text, data / "postern.toml");
  if (!checked) return std::unexpected(checked.error());
  if (auto key = storage::make_master_key_file(checked->storage.master_key.string()); !key)
    return key;
  if (auto certificate = write_certificate(*checked); !certificate) return certificate;
  auto store = open_store(*checked);
  if (!store) return std::unexpected(store.error());
  return write_file(data / "postern.toml", text, 0600);
}

}  // namespace

Result<void> initialise(const InitOptions& options) {
  std::error_code error;
  const fs::path data = fs::absolute(options.data, error).lexically_normal();
  if (fs::exists(data / "postern.toml", error)) {
    return fail(Errc::exists,
                fmt::format("{} holds a server already; choose another directory", data.string()));
  }
  const bool fresh = !fs::exists(data, error);
  if (!fresh && !fs::is_empty(data, error)) {
    return fail(Errc::exists,
                fmt::format("{} is not empty; choose a new directory", data.string()));
  }
  fs::create_directories(data, error);
  if (error) return fail(Errc::io, fmt::format("{}: {}", data.string(), error.message()));
  fs::permissions(data, fs::perms::owner_all, error);
  auto filled = fill(options, data);
  if (!filled) {
    for (const auto& entry : fs::directory_iterator(data, error))
      fs::remove_all(entry.path(), error);
    if (fresh) fs::remove(data, error);
  }
  return filled;
}

}  // namespace postern::server
