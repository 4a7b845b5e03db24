#include "accounts/audit/ed25519.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "accounts/audit/file.hpp"
#include "core/crypto.hpp"
#include "core/encoding.hpp"

namespace postern::accounts::audit {

namespace {

constexpr std::size_t kSignatureSize = 64;
constexpr std::size_t kPublicSize = 32;
constexpr std::size_t kMaxPem = 4'096;

using BioPtr = std::unique_ptr<BIO, decltype(&BIO_free_all)>;
using ContextPtr = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;
using SharedKey = std::shared_ptr<EVP_PKEY>;

// What fails here is memory or a broken OpenSSL: nothing that input could cause.
void demand(bool ok) {
  if (!ok) throw std::runtime_error("OpenSSL failed in an operation that cannot fail");
}

/// Leaves OpenSSL's queue of errors as it was: a TLS session on this thread would take what lies
/// there for its own.
class QuietErrors {
 public:
  QuietErrors() { ERR_set_mark(); }
  ~QuietErrors() { ERR_pop_to_mark(); }
  QuietErrors(const QuietErrors&) = delete;
  QuietErrors& operator=(const QuietErrors&) = delete;
};

// A key file is never encrypted; without this OpenSSL would ask the terminal.
int no_passphrase(char*, int, int, void*) { return 0; }

const unsigned char* raw(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.empty() ? "" : bytes.data());
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

BioPtr reader(std::string_view pem) {
  BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free_all);
  demand(bio != nullptr);
  return bio;
}

bool is_ed25519(const SharedKey& key) {
  return key != nullptr && EVP_PKEY_is_a(key.get(), "ED25519") == 1;
}

std::string reason(const std::string& path) {
  return fmt::format("{}: {}", path, std::strerror(errno));
}

Result<std::string> read_private(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return fail(errno == ENOENT ? Errc::not_found : Errc::io, reason(path));
  struct stat info{};
  if (::fstat(file.get(), &info) != 0) return fail(Errc::io, reason(path));
  if (!S_ISREG(info.st_mode)) return fail(Errc::denied, path + " isn't a regular file");
  if ((info.st_mode & 077) != 0) {
    return fail(Errc::denied,
                fmt::format("{} can be read by others; run: chmod 600 {}", path, path));
  }
  std::string pem(kMaxPem, '\0');
  const auto got = ::read(file.get(), pem.data(), pem.size());
  if (got < 0) return fail(Errc::io, reason(path));
  pem.resize(static_cast<std::size_t>(got));
  return pem;
}

}  // namespace

Result<PublicKey> PublicKey::from_pem(std::string_view pem) {
  if (pem.size() > kMaxPem) return fail(Errc::invalid, "the public key is too large");
  const QuietErrors quiet;
  SharedKey key(PEM_read_bio_PUBKEY(reader(pem).get(), nullptr, &no_passphrase, nullptr),
                &EVP_PKEY_free);
  if (!is_ed25519(key)) return fail(Errc::invalid, "no Ed25519 public key in PEM form");
  return PublicKey(std::move(key));
}

std::string PublicKey::pem() const {
  const BioPtr bio(BIO_new(BIO_s_mem()), &BIO_free_all);
  demand(bio != nullptr && PEM_write_bio_PUBKEY(bio.get(), key_.get()) == 1);
  return text_of(bio.get());
}

std::string PublicKey::fingerprint() const {
  std::string bytes(kPublicSize, '\0');
  std::size_t size = bytes.size();
  demand(EVP_PKEY_get_raw_public_key(key_.get(), reinterpret_cast<unsigned char*>(bytes.data()),
                                     &size) == 1);
  return hex_encode(crypto::sha256(bytes));
}

bool PublicKey::verifies(std::string_view bytes, std::string_view signature) const {
  const QuietErrors quiet;
  const ContextPtr context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  demand(context != nullptr &&
         EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1);
  return EVP_DigestVerify(context.get(), raw(signature), signature.size(), raw(bytes),
                          bytes.size()) == 1;
}

WitnessKey WitnessKey::generate() {
  SharedKey key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), &EVP_PKEY_free);
  demand(key != nullptr);
  return WitnessKey(std::move(key));
}

Result<WitnessKey> WitnessKey::load(const std::string& path) {
  auto pem = read_private(path);
  if (!pem) return std::unexpected(pem.error());
  const QuietErrors quiet;
  SharedKey key(PEM_read_bio_PrivateKey(reader(*pem).get(), nullptr, &no_passphrase, nullptr),
                &EVP_PKEY_free);
  crypto::wipe(*pem);
  if (!is_ed25519(key)) return fail(Errc::corrupt, path + " holds no Ed25519 private key");
  return WitnessKey(std::move(key));
}

Result<void> WitnessKey::save(const std::string& path) const {
  const BioPtr bio(BIO_new(BIO_s_secmem()), &BIO_free_all);
  demand(bio != nullptr && PEM_write_bio_PKCS8PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0,
                                                         nullptr, nullptr) == 1);
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (file.get() < 0) return fail(errno == EEXIST ? Errc::exists : Errc::io, reason(path));
  auto pem = text_of(bio.get());
  const auto written = write_all(file.get(), pem);
  crypto::wipe(pem);
  if (written && ::fsync(file.get()) == 0) return {};
  auto error = fail(Errc::io, reason(path));
  ::unlink(path.c_str());
  return error;
}

std::string WitnessKey::sign(std::string_view bytes) const {
  const ContextPtr context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  std::string out(kSignatureSize, '\0');
  std::size_t size = out.size();
  demand(context != nullptr &&
         EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1 &&
         EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size,
                        raw(bytes), bytes.size()) == 1 &&
         size == kSignatureSize);
  return out;
}

}  // namespace postern::accounts::audit
