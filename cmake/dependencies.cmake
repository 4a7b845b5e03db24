# Libraries from the distribution. `deploy/install-deps` installs them.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json url)
find_package(OpenSSL 3 REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(tomlplusplus REQUIRED)
pkg_check_modules(sqlite3 REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(cares REQUIRED IMPORTED_TARGET libcares)
pkg_check_modules(argon2 REQUIRED IMPORTED_TARGET libargon2)
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(zlib REQUIRED IMPORTED_TARGET zlib)
pkg_check_modules(psl REQUIRED IMPORTED_TARGET libpsl)
pkg_check_modules(icu REQUIRED IMPORTED_TARGET icu-uc icu-i18n)
pkg_check_modules(opendkim REQUIRED IMPORTED_TARGET opendkim)
pkg_check_modules(oath REQUIRED IMPORTED_TARGET liboath)
pkg_check_modules(fido2 REQUIRED IMPORTED_TARGET libfido2)
find_package(mimalloc REQUIRED)
find_library(ZXCVBN_LIBRARY zxcvbn REQUIRED)
find_library(SPF2_LIBRARY spf2 REQUIRED)

# Distribution headers are not ours to warn about.
add_library(postern_dependencies INTERFACE)
target_link_libraries(postern_dependencies INTERFACE
  Threads::Threads Boost::json Boost::url OpenSSL::SSL OpenSSL::Crypto fmt::fmt spdlog::spdlog
  tomlplusplus::tomlplusplus PkgConfig::sqlite3 PkgConfig::cares PkgConfig::argon2 PkgConfig::zstd
  PkgConfig::zlib PkgConfig::psl PkgConfig::icu PkgConfig::opendkim PkgConfig::oath PkgConfig::fido2
  ${SPF2_LIBRARY} ${ZXCVBN_LIBRARY})
target_compile_definitions(postern_dependencies INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED
  SPDLOG_FMT_EXTERNAL)
