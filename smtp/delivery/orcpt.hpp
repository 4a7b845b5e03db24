// ORCPT as RCPT carries it (RFC 3461 §4.2, RFC 6533 §3). Plain xtext is smtp/protocol/xtext.hpp.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace postern::smtp::delivery {

/// An ORCPT value from its decoded form "type;address". Type utf-8 is written as utf-8-addr-unitext
/// where SMTPUTF8 is in use, else as utf-8-addr-xtext ("\x{E9}"); other types as xtext. Empty when
/// the form is wrong.
enum class Charset : std::uint8_t { ascii, utf8 };
std::string encode_orcpt(std::string_view original, Charset charset);

}  // namespace postern::smtp::delivery
