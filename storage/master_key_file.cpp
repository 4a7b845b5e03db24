// The master key kept in a file (keystore.hpp).
//
// A wrapped secret: one byte of version (1), 32 random bytes of salt, AES-256-GCM of the secret
// under HKDF-SHA256(master key, salt, "postern wrap") with the context as associated data. The salt
// makes each key single-use, so the nonce is constant.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "core/crypto.hpp"
#include "core/encoding.hpp"
#include "core/random.hpp"
#include "storage/keystore.hpp"

namespace postern::storage {

namespace {

constexpr char kVersion = 1;
constexpr std::size_t kSaltSize = 32;
constexpr std::size_t kFileSize = 2 * crypto::kKeySize + 1;  // hex digits and a line feed

std::string zero_nonce() { return std::string(crypto::kNonceSize, '\0'); }

class FileMasterKey final : public MasterKey {
 public:
  explicit FileMasterKey(std::string key) : key_(std::move(key)) {}
  ~FileMasterKey() override { crypto::wipe(key_); }
  FileMasterKey(const FileMasterKey&) = delete;
  FileMasterKey& operator=(const FileMasterKey&) = delete;

  Result<std::string> wrap(std::string_view context, std::string_view secret) override {
    const auto salt = random_bytes(kSaltSize);
    auto key = derive(salt);
    auto wrapped = kVersion + salt + crypto::seal(key, zero_nonce(), context, secret);
    crypto::wipe(key);
    return wrapped;
  }

  Result<std::string> unwrap(std::string_view context, std::string_view wrapped) override {
    if (wrapped.size() < 1 + kSaltSize + crypto::kTagSize || wrapped[0] != kVersion) {
      return fail(Errc::corrupt, "a wrapped secret has an unknown form");
    }
    auto key = derive(wrapped.substr(1, kSaltSize));
    auto secret = crypto::open(key, zero_nonce(), context, wrapped.substr(1 + kSaltSize));
    crypto::wipe(key);
    if (!secret) return fail(Errc::corrupt, "a wrapped secret doesn't open with this master key");
    return std::move(*secret);
  }

 private:
  [[nodiscard]] std::string derive(std::string_view salt) const {
    return crypto::hkdf_sha256(key_, salt, "postern wrap", crypto::kKeySize);
  }
  std::string key_;
};

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

std::string reason(const std::string& path) {
  return fmt::format("{}: {}", path, std::strerror(errno));
}

Result<void> check_owner_only(int fd, const std::string& path) {
  struct stat info{};
  if (::fstat(fd, &info) != 0) return fail(Errc::io, reason(path));
  if (!S_ISREG(info.st_mode)) return fail(Errc::denied, path + " isn't a regular file");
  if ((info.st_mode & 077) != 0) {
    return fail(Errc::denied,
                fmt::format("{} can be read by others; run: chmod 600 {}", path, path));
  }
  if (info.st_uid != ::geteuid() && ::geteuid() != 0) {
    return fail(Errc::denied, path + " belongs to another user");
  }
  return {};
}

}  // namespace

Result<void> make_master_key_file(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (file.get() < 0) return fail(errno == EEXIST ? Errc::exists : Errc::io, reason(path));
  auto key = random_bytes(crypto::kKeySize);
  auto text = hex_encode(key) + "\n";
  const auto written = ::write(file.get(), text.data(), text.size());
  const bool good = written == static_cast<ssize_t>(text.size()) && ::fsync(file.get()) == 0;
  crypto::wipe(key);
  crypto::wipe(text);
  if (good) return {};
  auto error = fail(Errc::io, reason(path));
  ::unlink(path.c_str());
  return error;
}

Result<std::unique_ptr<MasterKey>> open_master_key_file(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return fail(errno == ENOENT ? Errc::not_found : Errc::io, reason(path));
  if (auto good = check_owner_only(file.get(), path); !good) return std::unexpected(good.error());
  std::string text(kFileSize + 1, '\0');  // one more, to see a longer file
  const auto got = ::read(file.get(), text.data(), text.size());
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  if (text.ends_with('\n')) text.pop_back();
  auto key = text.size() == 2 * crypto::kKeySize ? hex_decode(text) : std::nullopt;
  crypto::wipe(text);
  if (!key) return fail(Errc::corrupt, path + " isn't a master key (64 hex digits)");
  return std::make_unique<FileMasterKey>(std::move(*key));
}

}  // namespace postern::storage
