#include "accounts/names.hpp"

#include <unicode/normalizer2.h>
#include <unicode/unistr.h>

#include "core/ascii.hpp"
#include "message/email_address.hpp"

namespace postern::accounts {

namespace {

constexpr std::size_t kMaxTenantName = 63;
constexpr std::size_t kMaxLabelText = 100;

/// Canonical caseless form (Unicode §3.13, D145), composed. The input is well-formed UTF-8.
Result<std::string> fold_utf8(std::string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  const auto* nfc = icu::Normalizer2::getNFCInstance(status);
  const auto* nfd = icu::Normalizer2::getNFDInstance(status);
  if (U_FAILURE(status) != 0) return fail(Errc::temporary, "no Unicode data");
  auto folded = nfd->normalize(icu::UnicodeString::fromUTF8(std::string(text)), status);
  folded = nfc->normalize(folded.foldCase(), status);
  if (U_FAILURE(status) != 0) return fail(Errc::invalid, "not normalisable Unicode");
  std::string out;
  folded.toUTF8String(out);
  return out;
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

bool is_name_character(char c) { return ascii::is_alnum(c) || c == '-' || c == '_' || c == '.'; }

}  // namespace

std::string Address::text() const { return message::EmailAddress{local, domain}.text(); }

Result<Address> parse_address(std::string_view text) {
  auto email = message::parse_email(text, message::AddressCharset::utf8);
  if (!email) return std::unexpected(std::move(email.error()));
  if (email->is_address_literal())
    return fail(Errc::invalid, "an address literal has no mailboxes here");
  auto domain = parse_domain(email->domain);
  if (!domain) return std::unexpected(std::move(domain.error()));
  auto local = message::is_ascii(email->local) ? Result<std::string>(ascii::to_lower(email->local))
                                               : fold_utf8(email->local);
  if (!local) return std::unexpected(std::move(local.error()));
  if (local->size() > message::kMaxLocalPart) {
    return fail(Errc::invalid, "the local part is longer than 64 octets");
  }
  Address address{std::move(*local), std::move(*domain)};
  if (address.local.size() + 1 + address.domain.size() > kMaxAddress) {
    return fail(Errc::invalid, "the address is longer than 254 octets");
  }
  return address;
}

Result<std::string> parse_domain(std::string_view text) {
  auto domain = message::normalise_domain(text);
  if (!domain) return domain;
  if (domain->size() > kMaxDomain)
    return fail(Errc::invalid, "the domain is longer than 253 octets");
  if (domain->find('.') == std::string::npos) {
    return fail(Errc::invalid, "a mail domain has at least two labels, like example.com");
  }
  return domain;
}

SubAddress split_detail(std::string_view local) {
  const auto separator = local.find(kDetailSeparator);
  if (separator == 0 || separator == std::string_view::npos) return {std::string(local), {}};
  return {std::string(local.substr(0, separator)), std::string(local.substr(separator + 1))};
}

std::string reversed_name(std::string_view domain) {
  std::string out;
  while (!domain.empty()) {
    const auto dot = domain.rfind('.');
    const auto label = dot == std::string_view::npos ? domain : domain.substr(dot + 1);
    out.append(label).push_back('.');
    domain = dot == std::string_view::npos ? std::string_view{} : domain.substr(0, dot);
  }
  return out;
}

Result<std::string> parse_tenant_name(std::string_view text) {
  const auto name = ascii::to_lower(text);
  bool good = !name.empty() && name.size() <= kMaxTenantName && ascii::is_alnum(name.front());
  for (const char c : name) good = good && is_name_character(c);
  if (!good) {
    return fail(Errc::invalid,
                "a tenant's name is 1 to 63 letters, digits, '-', '_' or '.', and begins with a "
                "letter or digit");
  }
  return name;
}

Result<std::string> parse_label(std::string_view text) {
  const auto label = ascii::trim(text);
  bool good = !label.empty() && label.size() <= kMaxLabelText && message::is_utf8(label);
  for (const char c : label) good = good && !is_control(c);
  if (!good)
    return fail(Errc::invalid, "a label is 1 to 100 octets of text without control characters");
  return std::string(label);
}

}  // namespace postern::accounts
