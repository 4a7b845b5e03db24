// The author domains of a message: what DMARC is about (RFC 9989 §4.1, RFC 5322 §3.6.2).
//
// A strict reading: where two programs could see different authors in one field, there is none.
#include <algorithm>

#include "core/ascii.hpp"
#include "dkim/dmarc/dmarc.hpp"
#include "dkim/domain.hpp"
#include "dkim/fields.hpp"

namespace postern::dmarc {

namespace {

constexpr std::size_t kMaxFrom = 16'384;  // octets of the field

// One address as it is collected.
struct Mailbox {
  std::string text;   // outside angle brackets, comments left out
  std::string angle;  // inside them
  bool has_angle = false;
  bool after_angle = false;  // text after the closing bracket
};

std::optional<std::string> domain_of(std::string_view address) {
  const auto at = address.rfind('@');
  if (at == std::string_view::npos || at == 0) return std::nullopt;
  return dkim::normalize_domain(ascii::trim(address.substr(at + 1)));
}

class FromReader {
 public:
  explicit FromReader(std::string_view text) : text_(text) {}

  Result<std::vector<std::string>> read() {
    while (at_ < text_.size() && ok_) step();
    finish();
    if (in_angle_ || !ok_) return fail(Errc::invalid, "From is malformed");
    if (domains_.empty()) return fail(Errc::invalid, "From has no address");
    return domains_;
  }

 private:
  void step() {
    const char c = text_[at_];
    if (c == '(') {
      at_ = dkim::skip_cfws(text_, at_);
      put(' ');
      return;
    }
    if (c == '"') return quoted();
    ++at_;
    if (in_angle_) {
      if (c == '<') ok_ = false;
      if (c == '>') in_angle_ = false;
      if (c != '>' && c != '<') put(c);
      return;
    }
    switch (c) {
      case '<':
        ok_ = ok_ && !now_.has_angle;
        in_angle_ = now_.has_angle = true;
        return;
      case '>': ok_ = false; return;
      case ',':
      case ';': finish(); return;
      case ':': now_ = {}; return;  // what came before was a group's name
      default: put(c);
    }
  }

  void quoted() {
    ++at_;
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      // An '@' inside quotes is no separator; its place is kept with a harmless octet.
      put(text_[at_] == '@' ? '_' : text_[at_]);
      ++at_;
    }
    if (at_ >= text_.size()) ok_ = false;
    ++at_;
  }

  void put(char c) {
    if (in_angle_) {
      now_.angle += c;
      return;
    }
    now_.text += c;
    if (now_.has_angle && !ascii::is_wsp(c)) now_.after_angle = true;
  }

  void finish() {
    const auto bare = ascii::trim(now_.text);
    const bool empty = bare.empty() && !now_.has_angle;
    if (!empty) {
      const auto domain = domain_of(now_.has_angle ? std::string_view(now_.angle) : bare);
      // Without brackets there is no display name: a second '@' would be somebody else's address.
      const bool doubled = !now_.has_angle && bare.find('@') != bare.rfind('@');
      if (!domain || now_.after_angle || doubled) {
        ok_ = false;
      } else if (std::ranges::find(domains_, *domain) == domains_.end()) {
        domains_.push_back(*domain);
      }
    }
    now_ = {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool in_angle_ = false;
  bool ok_ = true;
  Mailbox now_;
  std::vector<std::string> domains_;
};

}  // namespace

Result<std::vector<std::string>> author_domains(std::string_view header) {
  std::optional<std::string> from;
  for (const auto& field : dkim::split_fields(header)) {
    if (!ascii::iequals(field.name, "from")) continue;
    if (from) return fail(Errc::invalid, "more than one From field");
    from = dkim::unfold(field.value);
  }
  if (!from) return fail(Errc::invalid, "no From field");
  if (from->size() > kMaxFrom) return fail(Errc::invalid, "From is too long");
  return FromReader(*from).read();
}

}  // namespace postern::dmarc
