#include "message/email_address.hpp"

#include <fmt/format.h>
#include <unicode/uidna.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>
#include <memory>

#include "core/ascii.hpp"
#include "core/ip_address.hpp"
#include "message/address.hpp"

namespace postern::message {

namespace {

constexpr std::size_t kMaxLabel = 63;

bool is_atext(char c) {
  return ascii::is_alnum(c) ||
         std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}
bool is_high(char c) { return (static_cast<unsigned char>(c) & 0x80U) != 0; }

/// ICU's IDNA object, immutable and shared by all threads.
const UIDNA* idna() {
  struct Close {
    void operator()(UIDNA* object) const { uidna_close(object); }
  };
  static const std::unique_ptr<UIDNA, Close> object = [] {
    UErrorCode status = U_ZERO_ERROR;
    constexpr std::uint32_t options = UIDNA_CHECK_BIDI | UIDNA_CHECK_CONTEXTJ |
                                      UIDNA_NONTRANSITIONAL_TO_ASCII |
                                      UIDNA_NONTRANSITIONAL_TO_UNICODE | UIDNA_USE_STD3_RULES;
    return std::unique_ptr<UIDNA, Close>(uidna_openUTS46(options, &status));
  }();
  return object.get();
}

using Conversion = std::int32_t (*)(const UIDNA*, const char*, std::int32_t, char*, std::int32_t,
                                    UIDNAInfo*, UErrorCode*);

std::string convert(Conversion to, std::string_view domain, bool& ok) {
  std::array<char, 1024> buffer{};
  UIDNAInfo info = UIDNA_INFO_INITIALIZER;
  UErrorCode status = U_ZERO_ERROR;
  const std::int32_t length =
      to(idna(), domain.data(), static_cast<std::int32_t>(domain.size()), buffer.data(),
         static_cast<std::int32_t>(buffer.size()), &info, &status);
  ok = U_SUCCESS(status) != 0 && info.errors == 0 && length > 0 &&
       static_cast<std::size_t>(length) < buffer.size();
  return ok ? std::string(buffer.data(), static_cast<std::size_t>(length)) : std::string();
}

bool is_host_name(std::string_view domain) {
  if (domain.empty() || domain.size() > kMaxDomain) return false;
  std::size_t begin = 0;
  while (true) {
    const auto dot = domain.find('.', begin);
    const std::string_view label =
        domain.substr(begin, dot == std::string_view::npos ? dot : dot - begin);
    if (label.empty() || label.size() > kMaxLabel) return false;
    if (label.front() == '-' || label.back() == '-') return false;
    if (!std::ranges::all_of(label, [](char c) { return ascii::is_alnum(c) || c == '-'; }))
      return false;
    if (dot == std::string_view::npos) return true;
    begin = dot + 1;
  }
}

Result<std::string> normalise_literal(std::string_view text) {
  const auto address = parse_address_literal(text);
  if (!address) return fail(Errc::invalid, "the address literal is not an IP address");
  return (address->is_v6() ? "[IPv6:" : "[") + address->to_string() + "]";
}

struct LocalPart {
  std::string text;
  std::size_t length;  ///< bytes taken from the input
};

/// RFC 5321 §4.1.2 Quoted-string: qtextSMTP and quoted pairs of printable ASCII.
Result<LocalPart> parse_quoted(std::string_view text, AddressCharset charset) {
  std::string out;
  for (std::size_t i = 1; i < text.size(); ++i) {
    char c = text[i];
    if (c == '"') {
      if (out.empty()) return fail(Errc::invalid, "the local part is empty");
      return LocalPart{std::move(out), i + 1};
    }
    if (c == '\\') {
      if (++i == text.size()) break;
      c = text[i];
      if (is_high(c)) return fail(Errc::invalid, "a backslash before a non-ASCII character");
    }
    if (is_high(c) ? charset == AddressCharset::ascii : c < ' ' || c == 0x7f) {
      return fail(Errc::invalid, "a character is not allowed in the local part");
    }
    out += c;
  }
  return fail(Errc::invalid, "the quoted local part has no end");
}

/// RFC 5321 §4.1.2 Dot-string.
Result<LocalPart> parse_dot_string(std::string_view text, AddressCharset charset) {
  const auto at = text.find('@');
  const std::string_view local = text.substr(0, at);
  if (local.empty()) return fail(Errc::invalid, "the local part is empty");
  if (local.front() == '.' || local.back() == '.' || local.find("..") != std::string_view::npos) {
    return fail(Errc::invalid, "a dot is misplaced in the local part");
  }
  for (const char c : local) {
    const bool allowed = c == '.' || is_atext(c) || (is_high(c) && charset == AddressCharset::utf8);
    if (!allowed) return fail(Errc::invalid, "a character is not allowed in the local part");
  }
  return LocalPart{std::string(local), local.size()};
}

}  // namespace

std::string EmailAddress::text() const { return quote_local(local) + "@" + domain; }

bool EmailAddress::needs_smtputf8() const { return !is_ascii(local); }

Result<EmailAddress> parse_email(std::string_view text, AddressCharset charset) {
  constexpr std::size_t longest = 4 * (kMaxLocalPart + kMaxDomain);
  if (text.size() > longest) return fail(Errc::too_large, "the address is too long");
  if (!is_utf8(text)) return fail(Errc::invalid, "the address is not valid UTF-8");
  auto local =
      text.starts_with('"') ? parse_quoted(text, charset) : parse_dot_string(text, charset);
  if (!local) return std::unexpected(local.error());
  if (local->length >= text.size() || text[local->length] != '@') {
    return fail(Errc::invalid, "the address has no domain");
  }
  if (local->text.size() > kMaxLocalPart)
    return fail(Errc::too_large, "the local part is too long");
  const std::string_view domain = text.substr(local->length + 1);
  if (charset == AddressCharset::ascii && !is_ascii(domain)) {
    return fail(Errc::invalid, "the domain is not ASCII");
  }
  // RFC 5321 §4.1.2 has no final dot; normalise_domain would forgive one.
  if (domain.ends_with('.')) return fail(Errc::invalid, "the domain ends in a dot");
  auto normal = domain.starts_with('[') ? normalise_literal(domain) : normalise_domain(domain);
  if (!normal) return std::unexpected(normal.error());
  return EmailAddress{std::move(local->text), std::move(*normal)};
}

Result<std::string> normalise_domain(std::string_view domain) {
  if (domain.ends_with('.')) domain.remove_suffix(1);
  if (domain.empty()) return fail(Errc::invalid, "the domain is empty");
  if (domain.size() > 4 * kMaxDomain) return fail(Errc::too_large, "the domain is too long");
  std::string ascii_form = ascii::to_lower(domain);
  if (!is_ascii(domain)) {
    bool ok = false;
    ascii_form = convert(&uidna_nameToASCII_UTF8, domain, ok);
    if (!ok) return fail(Errc::invalid, "the domain is not a valid internationalised name");
  }
  if (ascii_form.size() > kMaxDomain) return fail(Errc::too_large, "the domain is too long");
  if (!is_host_name(ascii_form)) return fail(Errc::invalid, "the domain is not a host name");
  return ascii_form;
}

std::string display_domain(std::string_view domain) {
  if (domain.find("xn--") == std::string_view::npos) return std::string(domain);
  bool ok = false;
  std::string out = convert(&uidna_nameToUnicodeUTF8, domain, ok);
  return ok ? out : std::string(domain);
}

bool is_utf8(std::string_view bytes) {
  const auto length = static_cast<std::int64_t>(bytes.size());
  std::int64_t at = 0;
  while (at < length) {
    if (!is_high(bytes[static_cast<std::size_t>(at)])) {
      ++at;
      continue;
    }
    UChar32 c = 0;
    U8_NEXT(bytes.data(), at, length, c);  // NOLINT(bugprone-inc-dec-in-conditions): the macro's
    if (c < 0) return false;
  }
  return true;
}

bool is_ascii(std::string_view bytes) {
  // Whole blocks without a branch in between, which compilers turn into vector instructions.
  constexpr std::size_t kBlock = 1024;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(bytes.size(), kBlock))) {
    unsigned char seen = 0;
    for (const char c : bytes.substr(0, kBlock)) seen |= static_cast<unsigned char>(c);
    if (seen >= 0x80) return false;
  }
  return true;
}

}  // namespace postern::message
