// The Authentication-Results field (RFC 8601): what we found, said so that nobody can forge it.
//
// Untrusted: every value that goes in (addresses, domains, selectors). They come out as tokens or
// quoted strings of printable ASCII; nothing a sender wrote can end the field, a result or a
// comment.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dkim/dmarc/dmarc.hpp"
#include "dkim/spf/spf.hpp"
#include "dkim/verify/verifier.hpp"

namespace postern::dkim {

struct ResultsInput {
  std::string authserv_id;  ///< our name
  std::optional<spf::Outcome> helo;
  std::optional<spf::Outcome> mail_from;
  std::string mail_from_address;  ///< smtp.mailfrom
  std::string helo_name;          ///< smtp.helo
  std::vector<SignatureResult> signatures;
  std::optional<dmarc::Outcome> dmarc;
  std::string disposition;  ///< "none", "quarantine" or "reject": said in dmarc's comment when set
};

/// The whole field with its final CRLF, folded; lines below 78 octets where values allow.
std::string render_authentication_results(const ResultsInput& input);

/// The value as a token if it is one, else as a quoted-string (RFC 8601 §2.2). Octets outside
/// printable ASCII become '?'; cut at 255.
std::string quote_value(std::string_view value);
/// Text fit for the inside of a comment: parentheses and backslash escaped, the rest as above.
std::string quote_comment(std::string_view text);

/// Whether the value of an Authentication-Results field claims to come from `authserv_id`. Doubt
/// (an id that can't be read, in a field that mentions ours) counts as yes.
bool claims_authserv_id(std::string_view value, std::string_view authserv_id);

/// `header` without the Authentication-Results fields that claim our id (RFC 8601 §5).
std::string without_forged_results(std::string_view header, std::string_view authserv_id);

}  // namespace postern::dkim
