// Command parsers: no crash, and what was accepted is printable and parses back to itself.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "message/email_address.hpp"
#include "smtp/protocol/command.hpp"
#include "smtp/protocol/xtext.hpp"

using namespace postern::smtp;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

bool clean(const std::string& text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return false;
  }
  return postern::message::is_utf8(text);
}

void check_path(const Path& path) {
  require(clean(path.local) && clean(path.domain));
  require(path.local.size() <= kMaxLocalPart && path.domain.size() <= kMaxDomain);
  if (path.is_null() || path.domain.empty()) return;
  const auto again = parse_mailbox(to_string(path));
  require(again && *again == path);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string line(reinterpret_cast<const char*>(data), size);
  const Verb verb = split_verb(line);
  const auto arguments = verb.arguments;
  if (const auto mail = parse_mail(arguments)) {
    check_path(mail->return_path);
    require(clean(mail->envid) && postern::message::is_ascii(mail->envid));
    require(mail->charset == Charset::utf8 || mail->return_path.is_ascii());
  }
  if (const auto rcpt = parse_rcpt(arguments)) {
    check_path(rcpt->recipient.path);
    require(!rcpt->recipient.path.is_null());
    require(!rcpt->recipient.original || clean(rcpt->recipient.original->type));
  }
  if (const auto hello = parse_ehlo(arguments)) require(clean(hello->name));
  static_cast<void>(parse_helo(arguments));
  static_cast<void>(parse_bdat(arguments));
  static_cast<void>(parse_auth(arguments));
  static_cast<void>(parse_vrfy(arguments));
  if (const auto decoded = decode_xtext(line))
    require(decode_xtext(encode_xtext(*decoded)) == decoded);
  return 0;
}
