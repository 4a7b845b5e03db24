#include <fmt/format.h>

#include "core/ascii.hpp"
#include "dkim/results/authentication_results.hpp"

namespace postern::dkim {

namespace {

constexpr std::size_t kLineLimit = 76;

// A field that grows piece by piece; a piece that doesn't fit begins a new line.
class Folded {
 public:
  explicit Folded(std::string start) : text_(std::move(start)) { used_ = text_.size(); }

  void add(std::string_view piece) {
    if (used_ + 1 + piece.size() > kLineLimit) {
      new_line();
    } else {
      text_ += ' ';
      ++used_;
    }
    text_ += piece;
    used_ += piece.size();
  }
  /// The next result: ends the one before, on a line of its own.
  void next(std::string_view piece) {
    text_ += ';';
    new_line();
    text_ += piece;
    used_ += piece.size();
  }
  std::string end() { return std::move(text_) + "\r\n"; }

 private:
  void new_line() {
    text_ += "\r\n\t";
    used_ = 1;
  }
  std::string text_;
  std::size_t used_ = 0;
};

void add_reason(Folded& field, std::string_view reason) {
  if (!reason.empty()) field.add("reason=" + quote_value(reason));
}

void add_property(Folded& field, std::string_view name, std::string_view value) {
  if (!value.empty()) field.add(fmt::format("{}={}", name, quote_value(value)));
}

void add_spf(Folded& field, const spf::Outcome& outcome, std::string_view property,
             std::string_view value) {
  field.next(fmt::format("spf={}", spf::to_string(outcome.result)));
  add_reason(field, outcome.reason);
  add_property(field, property, value);
}

void add_dkim(Folded& field, const SignatureResult& signature) {
  field.next(fmt::format("dkim={}", to_string(signature.result)));
  if (signature.bits > 0) field.add(fmt::format("({}-bit key)", signature.bits));
  add_reason(field, signature.reason);
  add_property(field, "header.d", signature.domain);
  add_property(field, "header.s", signature.selector);
  add_property(field, "header.a", signature.algorithm);
  add_property(field, "header.b", signature.signature);
}

void add_dmarc(Folded& field, const dmarc::Outcome& outcome, std::string_view disposition) {
  field.next(fmt::format("dmarc={}", dmarc::to_string(outcome.result)));
  if (outcome.record) {
    std::string comment = fmt::format("(p={}", dmarc::to_string(outcome.published));
    if (outcome.record->testing) comment += " t=y";
    if (!disposition.empty()) comment += fmt::format(" dis={}", quote_comment(disposition));
    field.add(comment + ")");
  }
  add_reason(field, outcome.reason);
  add_property(field, "header.from", outcome.author_domain);
}

}  // namespace

std::string render_authentication_results(const ResultsInput& input) {
  Folded field("Authentication-Results: " + quote_value(input.authserv_id));
  if (input.mail_from && !input.mail_from_address.empty()) {
    add_spf(field, *input.mail_from, "smtp.mailfrom", input.mail_from_address);
  }
  if (input.helo) add_spf(field, *input.helo, "smtp.helo", input.helo_name);
  for (const auto& signature : input.signatures) add_dkim(field, signature);
  if (input.signatures.empty()) field.next("dkim=none");
  if (input.dmarc) add_dmarc(field, *input.dmarc, input.disposition);
  return field.end();
}

}  // namespace postern::dkim
