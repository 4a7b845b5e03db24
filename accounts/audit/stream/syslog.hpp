// Audit records as syslog messages in the frames of syslog over TLS, and as JSON lines.
//
// Pure functions. Standards: RFC 5424 §6 (the message), RFC 5425 §4.3 (octet counting). The
// structured data's id is `postern@32473`: 32473 is the enterprise number that RFC 5612 sets aside
// for such uses. MSG is the record's JSON behind the byte order mark that RFC 5424 §6.4 demands of
// UTF-8. A record with its details at their largest is longer than the 8,192 octets that RFC 5425
// §4.3.1 recommends receivers to take: some cut it.
//
// Texts come from users and peers; they are well-formed UTF-8 without control characters unless
// somebody edited the database.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "accounts/audit/record.hpp"

namespace postern::accounts::audit {

/// The same line as an export's, with its line feed.
std::string json_line(const Entry& entry);
std::string json_lines(const std::vector<Entry>& entries);

/// RFC 5424 §6.3.3: '"', '\' and ']' behind a backslash, all else as it is.
std::string escape_parameter(std::string_view value);

/// `chain`: its name (chain_name). `hostname`: the server's.
std::string syslog_message(const Entry& entry, std::string_view chain, std::string_view hostname);
/// "LENGTH SP MESSAGE" of each.
std::string syslog_frames(const std::vector<Entry>& entries, std::string_view chain,
                          std::string_view hostname);

}  // namespace postern::accounts::audit
