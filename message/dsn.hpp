// Delivery status notifications: made for senders, and read when they come back.
//
// Standards: RFC 3464 (form), RFC 3461 §6 (what SMTP's DSN parameters put in), RFC 6522
// (multipart/report), RFC 6533 (UTF-8 addresses). parse_dsn takes untrusted bytes and is bounded by
// the MIME parser's limits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.hpp"
#include "message/mime.hpp"

namespace postern::message {

inline constexpr std::size_t kMaxDsnRecipients = 1'000;  ///< read of one notification

enum class DsnAction : std::uint8_t { failed, delayed, delivered, relayed, expanded };
std::string_view to_string(DsnAction action);

/// One recipient's group of fields (RFC 3464 §2.3).
struct DsnRecipient {
  std::string final_recipient;     ///< addr-spec, without the address type
  std::string original_recipient;  ///< from ORCPT, with its type ("rfc822;a@b", xtext decoded); may
                                   ///< be empty
  DsnAction action = DsnAction::failed;
  std::string status;      ///< "5.1.1"
  std::string remote_mta;  ///< host name, may be empty
  std::string diagnostic;  ///< the peer's reply, "550 5.1.1 no such user"; may be empty
  std::optional<Timestamp> last_attempt;
  std::optional<Timestamp> will_retry_until;  ///< for delayed
  bool operator==(const DsnRecipient&) const = default;
};

struct DsnReport {
  std::string reporting_mta;  ///< our host name
  std::string envelope_id;    ///< ENVID, xtext decoded; may be empty
  std::optional<Timestamp> arrival;
  std::vector<DsnRecipient> recipients;
};

/// What of the original goes back (RFC 3461 §4.3 RET).
enum class DsnReturn : std::uint8_t { headers, full };

struct DsnMessage {
  std::string from_address;  ///< "postmaster@host" for the From field; the envelope sender is empty
  std::string to_address;    ///< the original's envelope sender
  std::string subject;
  std::string text;  ///< for people, UTF-8
  Timestamp date;
  std::string message_id;  ///< with brackets
  DsnReport report;
  DsnReturn returned = DsnReturn::headers;
  std::string original;  ///< the original message, or only its header
};

/// The whole notification (multipart/report; report-type=delivery-status), CRLF line ends.
std::string build_dsn(const DsnMessage& dsn);
/// The text of its machine-readable part.
std::string format_delivery_status(const DsnReport& report);

struct ParsedDsn {
  DsnReport report;
  std::string original_header;  ///< of the returned message, empty when none came back
};
/// nullopt when the message isn't a delivery status notification.
std::optional<ParsedDsn> parse_dsn(std::string_view message);
/// The machine-readable part alone. Recipients without an understandable Action are left out.
DsnReport parse_delivery_status(std::string_view text);

}  // namespace postern::message
