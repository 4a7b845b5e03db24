// Audit records as JSON and CSV, for people and for other programs.
//
// Texts in a record come from users. CSV (RFC 4180) is mostly opened in spreadsheets, where a cell
// that begins like a formula is run as one: such a cell gets an apostrophe in front. So the JSON is
// the exact form, the CSV the readable one.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>

#include "accounts/audit/record.hpp"

namespace postern::accounts::audit {

/// Times in RFC 3339 with microseconds, UTC.
std::string time_text(Timestamp at);

boost::json::object to_json(const Entry& entry);

/// The columns' names, with CRLF.
std::string_view csv_header();
std::string to_csv(const Entry& entry);  ///< one line, with CRLF
/// One cell: quoted as RFC 4180 §2 has it, harmless to spreadsheets.
std::string csv_cell(std::string_view text);

}  // namespace postern::accounts::audit
