#include "dkim/sign/signer.hpp"

#include <fmt/format.h>

#include <array>
#include <map>
#include <vector>

#include "core/ascii.hpp"
#include "core/encoding.hpp"
#include "dkim/canonical.hpp"
#include "dkim/domain.hpp"
#include "dkim/fields.hpp"

namespace postern::dkim {

namespace {

constexpr std::size_t kLineLimit = 76;        // octets of a folded line, without CRLF
constexpr std::size_t kMaxSignedNames = 200;  // entries of h=

enum class Cover : std::uint8_t { present, oversigned };

struct SignedName {
  std::string_view name;
  Cover cover;
};

// Over-signed: one more instance than there is, so that none can be added (RFC 6376 §8.15). Those
// are the fields that a reader sees or that change how the body is read; what lists add in passing
// (Sender, List-*) is signed only where it is.
constexpr std::array kSignedNames{
    SignedName{"From", Cover::oversigned},
    SignedName{"To", Cover::oversigned},
    SignedName{"Cc", Cover::oversigned},
    SignedName{"Subject", Cover::oversigned},
    SignedName{"Date", Cover::oversigned},
    SignedName{"Message-ID", Cover::oversigned},
    SignedName{"Reply-To", Cover::oversigned},
    SignedName{"In-Reply-To", Cover::oversigned},
    SignedName{"References", Cover::oversigned},
    SignedName{"MIME-Version", Cover::oversigned},
    SignedName{"Content-Type", Cover::oversigned},
    SignedName{"Content-Transfer-Encoding", Cover::oversigned},
    SignedName{"Sender", Cover::present},
    SignedName{"Auto-Submitted", Cover::present},
    SignedName{"Feedback-ID", Cover::present},
    SignedName{"List-Id", Cover::present},
    SignedName{"List-Unsubscribe", Cover::present},
    SignedName{"List-Unsubscribe-Post", Cover::present},
    SignedName{"Resent-From", Cover::present},
    SignedName{"Resent-To", Cover::present},
    SignedName{"Resent-Date", Cover::present},
    SignedName{"Resent-Message-ID", Cover::present},
};

struct Covered {
  std::vector<std::string_view> names;  // of h=, in order
  std::string data;                     // the canonical fields in that order
};

// §5.4.2: the last instance of a name is signed first; an entry without an instance signs nothing.
Result<Covered> cover(std::string_view header) {
  std::map<std::string, std::vector<std::string_view>, std::less<>> by_name;
  for (const auto& field : split_fields(header)) {
    if (!field.name.empty()) by_name[ascii::to_lower(field.name)].push_back(field.raw);
  }
  if (by_name["from"].size() != 1)
    return fail(Errc::invalid, "a message has exactly one From field");
  Covered covered;
  for (const auto& wanted : kSignedNames) {
    const auto& instances = by_name[ascii::to_lower(wanted.name)];
    for (auto it = instances.rbegin(); it != instances.rend(); ++it) {
      covered.names.push_back(wanted.name);
      covered.data += canonical_header(*it, Canon::relaxed);
    }
    if (wanted.cover == Cover::oversigned) covered.names.push_back(wanted.name);
  }
  if (covered.names.size() > kMaxSignedNames) {
    return fail(Errc::too_large, "too many instances of one header field");
  }
  return covered;
}

// Appends `piece` to a field being folded; a new line begins before it when it would not fit.
void append_folded(std::string& field, std::string_view piece) {
  const auto line_start = field.rfind('\n');
  const auto used = field.size() - (line_start == std::string::npos ? 0 : line_start + 1);
  if (used + piece.size() > kLineLimit) {
    field += "\r\n\t";
    if (piece.starts_with(' ')) piece.remove_prefix(1);
  }
  field += piece;
}

std::string unsigned_field(const Selector& key, std::string_view domain, std::string_view body_hash,
                           const Covered& covered, Timestamp now) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch());
  std::string field = "DKIM-Signature: v=1;";
  append_folded(field, fmt::format(" a={};", signature_algorithm(key.key.algorithm())));
  append_folded(field, " c=relaxed/relaxed;");
  append_folded(field, fmt::format(" d={};", domain));
  append_folded(field, fmt::format(" s={};", key.name));
  append_folded(field, fmt::format(" t={};", seconds.count()));
  for (std::size_t i = 0; i < covered.names.size(); ++i) {
    const char* separator = i + 1 == covered.names.size() ? ";" : ":";
    append_folded(field, fmt::format("{}{}{}", i == 0 ? " h=" : "", covered.names[i], separator));
  }
  append_folded(field, fmt::format(" bh={};", base64_encode(body_hash)));
  append_folded(field, " b=");
  return field;
}

// Base64 may be folded anywhere (§3.5), so it fills the lines.
void append_signature(std::string& field, std::string_view signature) {
  const std::string text = base64_encode(signature);
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto used = field.size() - (field.rfind('\n') + 1);
    if (used >= kLineLimit) {
      field += "\r\n\t";
      continue;
    }
    const auto piece = rest.substr(0, kLineLimit - used);
    field += piece;
    rest.remove_prefix(piece.size());
  }
  field += "\r\n";
}

}  // namespace

Result<std::string> sign(std::string_view header, std::string_view body_hash,
                         std::string_view domain, std::span<const Selector> keys, Timestamp now) {
  const auto normal = normalize_domain(domain);
  if (!normal) return fail(Errc::invalid, "the signing domain is no domain name");
  auto covered = cover(header);
  if (!covered) return std::unexpected(covered.error());
  std::string out;
  for (const auto& key : keys) {
    if (!normalize_domain(key.name)) return fail(Errc::invalid, "the selector is no domain name");
    std::string field = unsigned_field(key, *normal, body_hash, *covered, now);
    // §3.7: the field itself comes last, with b= empty and without its CRLF.
    std::string own = canonical_header(field, Canon::relaxed);
    own.resize(own.size() - 2);
    auto signature = key.key.sign(covered->data + own);
    if (!signature) return std::unexpected(signature.error());
    append_signature(field, *signature);
    out += field;
  }
  return out;
}

Result<std::string> sign_message(std::string_view message, std::string_view domain,
                                 std::span<const Selector> keys, Timestamp now) {
  const auto parts = split_message(message);
  return sign(parts.header, body_hash(parts.body), domain, keys, now);
}

}  // namespace postern::dkim
