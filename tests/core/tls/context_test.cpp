#include "core/tls/context.hpp"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <catch2/catch.hpp>

#include "tests/core/sockets.hpp"

namespace {
using namespace postern;
using namespace postern::test;

using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

Certificate parse(const std::string& pem) {
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  Certificate certificate(PEM_read_bio_X509(bio, nullptr, nullptr, nullptr), &X509_free);
  BIO_free(bio);
  return certificate;
}

bool names_host(const Certificate& certificate, const std::string& host) {
  return X509_check_host(certificate.get(), host.c_str(), host.size(), 0, nullptr) == 1;
}

bool names_address(const Certificate& certificate, const char* address) {
  return X509_check_ip_asc(certificate.get(), address, 0) == 1;
}
}  // namespace

TEST_CASE("self_signed_certificate_names_host_and_loopback") {
  const auto made = tls::make_self_signed("mail.example.test");
  REQUIRE(made);
  const auto certificate = parse(made->certificate_pem);
  REQUIRE(certificate);
  CHECK(names_host(certificate, "mail.example.test"));
  CHECK(names_host(certificate, "localhost"));
  CHECK(names_address(certificate, "127.0.0.1"));
  CHECK(names_address(certificate, "::1"));
  CHECK_FALSE(names_host(certificate, "other.example.test"));
  CHECK(X509_verify(certificate.get(), X509_get0_pubkey(certificate.get())) == 1);
  int days = 0;
  int seconds = 0;
  REQUIRE(ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(certificate.get())) == 1);
  CHECK(days >= 3649);
  CHECK(days <= 3650);
  CHECK(X509_cmp_current_time(X509_get0_notBefore(certificate.get())) < 0);
  CHECK(made->key_pem.starts_with("-----BEGIN PRIVATE KEY-----"));
}

TEST_CASE("self_signed_certificates_for_unusual_names") {
  const std::string longest = std::string(63, 'a') + "." + std::string(63, 'b') + ".example.test";
  CHECK(names_host(parse(tls::make_self_signed(longest)->certificate_pem), longest));
  CHECK(names_address(parse(tls::make_self_signed("192.0.2.7")->certificate_pem), "192.0.2.7"));
  CHECK(names_host(parse(tls::make_self_signed("localhost")->certificate_pem), "localhost"));
  for (const std::string& bad :
       {std::string(), std::string("a b"), std::string("a,DNS:b"), std::string(254, 'a')}) {
    CHECK(code(tls::make_self_signed(bad)) == Errc::invalid);
  }
}

TEST_CASE("tls_server_context_errors_name_the_file") {
  const TlsFiles files;
  const TlsFiles others;
  CHECK(tls::Context::make_server(files.certificate, files.key));
  const auto missing = tls::Context::make_server(files.directory.file("none.pem"), files.key);
  REQUIRE_FALSE(missing);
  CHECK(missing.error().message.find("none.pem") != std::string::npos);
  CHECK(missing.error().message.find("No such file") != std::string::npos);
  const auto garbage = files.directory.write("garbage.pem", "not a certificate");
  CHECK(code(tls::Context::make_server(garbage, files.key)) == Errc::invalid);
  const auto bad_key = tls::Context::make_server(files.certificate, garbage);
  REQUIRE_FALSE(bad_key);
  CHECK(bad_key.error().message.find("key " + garbage) != std::string::npos);
  CHECK(code(tls::Context::make_server(files.certificate, others.key)) == Errc::invalid);
}

TEST_CASE("tls_server_context_refuses_a_key_with_a_passphrase_without_asking") {
  const TlsFiles files;
  const std::string pem = files.directory.read("key.pem");
  BIO* in = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  EVP_PKEY* key = PEM_read_bio_PrivateKey(in, nullptr, nullptr, nullptr);
  BIO* out = BIO_new_file(files.directory.file("locked.pem").c_str(), "w");
  char pass[] = "secret";
  REQUIRE(PEM_write_bio_PKCS8PrivateKey(out, key, EVP_aes_256_cbc(), pass, 6, nullptr, nullptr) ==
          1);
  BIO_free(out);
  BIO_free(in);
  EVP_PKEY_free(key);
  CHECK(code(tls::Context::make_server(files.certificate, files.directory.file("locked.pem"))) ==
        Errc::invalid);
}

TEST_CASE("tls_client_contexts_are_made") {
  CHECK(tls::Context::make_client(tls::Context::Verify::none));
  CHECK(tls::Context::make_client(tls::Context::Verify::system_roots));
}
