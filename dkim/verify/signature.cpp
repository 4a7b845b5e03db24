#include "dkim/verify/signature.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/ascii.hpp"
#include "core/encoding.hpp"
#include "dkim/domain.hpp"
#include "dkim/tags.hpp"

namespace postern::dkim {

namespace {

constexpr std::chrono::seconds kClockSkew{300};  // a signer's clock may be ahead by this
constexpr std::size_t kShownSignature = 8;       // RFC 6008 §4: enough of b= to tell two apart
constexpr std::size_t kMaxSignedNames = 500;
constexpr std::size_t kSha256Size = 32;
constexpr std::uint64_t kMaxBodyLength = std::uint64_t{1} << 40;  // octets, of l=
constexpr std::size_t kMaxIdentity = 320;                         // octets of i=: RFC 5321 §4.5.3.1

std::nullopt_t refuse(SignatureResult& result, Verdict verdict, const char* reason) {
  result.result = verdict;
  result.reason = reason;
  return std::nullopt;
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

std::optional<Canon> parse_canon(std::string_view text) {
  if (ascii::iequals(text, "simple")) return Canon::simple;
  if (ascii::iequals(text, "relaxed")) return Canon::relaxed;
  return std::nullopt;
}

const char* read_algorithm(const TagList& tags, Signature& signature, SignatureResult& result) {
  result.algorithm = ascii::to_lower(tags.get("a").value_or(""));
  if (result.algorithm == "rsa-sha256") return nullptr;
  if (result.algorithm == "ed25519-sha256") {
    signature.key_type = KeyType::ed25519;
    return nullptr;
  }
  if (result.algorithm == "rsa-sha1") return "rsa-sha1 is not accepted (RFC 8301)";
  result.algorithm.clear();
  return "unknown algorithm";
}

const char* read_names(const TagList& tags, Signature& signature, SignatureResult& result) {
  const auto domain = normalize_domain(tags.get("d").value_or(""));
  if (!domain) return "d= is no domain name";
  signature.domain = result.domain = *domain;
  const auto selector = normalize_domain(tags.get("s").value_or(""));
  if (!selector) return "s= is no selector";
  signature.selector = result.selector = *selector;
  result.identity = "@" + signature.domain;
  signature.identity_domain = signature.domain;
  const auto identity = tags.get("i");
  if (!identity) return nullptr;
  const auto at = identity->rfind('@');
  const auto identity_domain =
      at == std::string_view::npos ? std::nullopt : normalize_domain(identity->substr(at + 1));
  // libopendkim decodes i= as quoted-printable and reads past a '=' at its end.
  if (!identity_domain || identity->ends_with('=') || identity->size() > kMaxIdentity)
    return "i= is no identity";
  if (!is_at_or_below(*identity_domain, signature.domain)) return "i= is outside d=";
  signature.identity_domain = *identity_domain;
  result.identity = std::string(*identity);
  return nullptr;
}

// A quoted-printable escape (§2.11) that is cut off would be read past its end.
bool has_whole_escapes(std::string_view text) {
  for (std::size_t at = text.find('='); at != std::string_view::npos; at = text.find('=', at + 1)) {
    if (at + 2 >= text.size() || !hex_decode(text.substr(at + 1, 2))) return false;
  }
  return true;
}

const char* read_headers(const TagList& tags, Signature& signature) {
  const std::string list = without_space(tags.get("h").value_or(""));
  std::size_t at = 0;
  while (at <= list.size() && !list.empty()) {
    const auto end = std::min(list.find(':', at), list.size());
    if (end == at || signature.signed_names.size() >= kMaxSignedNames) return "h= is malformed";
    signature.signed_names.push_back(ascii::to_lower(std::string_view(list).substr(at, end - at)));
    at = end + 1;
  }
  const bool from =
      std::ranges::find(signature.signed_names, "from") != signature.signed_names.end();
  return from ? nullptr : "From is not signed";
}

const char* read_canonicalization(const TagList& tags, Signature& signature) {
  const auto text = tags.get("c").value_or("simple/simple");
  const auto slash = text.find('/');
  const auto header = parse_canon(text.substr(0, slash));
  const auto body =
      slash == std::string_view::npos ? Canon::simple : parse_canon(text.substr(slash + 1));
  if (!header || !body) return "unknown canonicalization";
  signature.body_canon = *body;
  return nullptr;
}

const char* read_hashes(const TagList& tags, Signature& signature, SignatureResult& result) {
  const auto body_hash = base64_decode_loose(without_space(tags.get("bh").value_or("")));
  if (!body_hash || body_hash->size() != kSha256Size) return "bh= is malformed";
  signature.b = without_space(tags.get("b").value_or(""));
  const auto decoded = base64_decode_loose(signature.b);
  if (!decoded || decoded->empty()) return "b= is malformed";
  result.signature = signature.b.substr(0, kShownSignature);
  if (const auto length = tags.get("l")) {
    signature.body_length = parse_number(*length);
    // libopendkim keeps it in a signed word, where -1 means the whole body.
    if (!signature.body_length || *signature.body_length > kMaxBodyLength) return "l= is malformed";
  }
  if (const auto query = tags.get("q"); query && !ascii::istarts_with(*query, "dns")) {
    return "unknown query method";
  }
  return nullptr;
}

// §3.5 t=, x=. An expired signature is a failed one, not a malformed one.
const char* read_times(const TagList& tags, Timestamp now, bool& expired) {
  const auto seconds = static_cast<std::uint64_t>(std::max<std::int64_t>(
      0, std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count()));
  std::optional<std::uint64_t> made;
  if (const auto text = tags.get("t")) {
    made = parse_number(*text);
    if (!made) return "t= is malformed";
    if (*made > seconds + static_cast<std::uint64_t>(kClockSkew.count()))
      return "t= is in the future";
  }
  if (const auto text = tags.get("x")) {
    const auto expires = parse_number(*text);
    if (!expires || (made && *expires < *made)) return "x= is malformed";
    expired = *expires < seconds;
  }
  return nullptr;
}

}  // namespace

std::optional<Signature> parse_signature(std::string_view value, Timestamp now,
                                         SignatureResult& result) {
  if (value.size() > kMaxSignatureField)
    return refuse(result, Verdict::permerror, "the field is too long");
  const auto tags = TagList::parse(value, TagList::Strictness::strict);
  if (!tags) return refuse(result, Verdict::permerror, "the field is malformed");
  Signature signature;
  bool expired = false;
  const char* wrong = tags->get("v") == "1" ? nullptr : "unknown version";
  if (wrong == nullptr) wrong = read_names(*tags, signature, result);
  if (wrong == nullptr) wrong = read_algorithm(*tags, signature, result);
  if (wrong == nullptr && !has_whole_escapes(tags->get("i").value_or("")))
    wrong = "i= is malformed";
  if (wrong == nullptr) wrong = read_headers(*tags, signature);
  if (wrong == nullptr) wrong = read_canonicalization(*tags, signature);
  if (wrong == nullptr) wrong = read_hashes(*tags, signature, result);
  if (wrong == nullptr) wrong = read_times(*tags, now, expired);
  if (wrong != nullptr) return refuse(result, Verdict::permerror, wrong);
  if (expired) return refuse(result, Verdict::fail, "the signature has expired");
  return signature;
}

const char* unsigned_duplicate(const Signature& signature, const std::vector<Field>& fields) {
  // The fields that a reader sees or a program reads the body by; RFC 6376 §8.15 tells the attack.
  static constexpr std::array<std::string_view, 11> kOnce{"from",
                                                          "sender",
                                                          "reply-to",
                                                          "to",
                                                          "cc",
                                                          "subject",
                                                          "date",
                                                          "message-id",
                                                          "mime-version",
                                                          "content-type",
                                                          "content-transfer-encoding"};
  for (const auto name : kOnce) {
    const auto present = std::ranges::count_if(
        fields, [name](const Field& field) { return ascii::iequals(field.name, name); });
    const auto covered = std::ranges::count(signature.signed_names, name);
    if (present > 1 && covered < present) return "a header field is repeated outside the signature";
  }
  return nullptr;
}

}  // namespace postern::dkim
