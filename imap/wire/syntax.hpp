// Character classes of RFC 3501 §9.
#pragma once

namespace postern::imap {

constexpr bool is_ctl(char c) { return (c >= 0 && c < 0x20) || c == 0x7f; }

/// ATOM-CHAR: printable ASCII without ( ) { SP % * " \ ].
constexpr bool is_atom_char(char c) {
  if (c <= 0x20 || c >= 0x7f) return false;
  switch (c) {
    case '(':
    case ')':
    case '{':
    case '%':
    case '*':
    case '"':
    case '\\':
    case ']': return false;
    default: return true;
  }
}

constexpr bool is_astring_char(char c) { return is_atom_char(c) || c == ']'; }
constexpr bool is_tag_char(char c) { return is_astring_char(c) && c != '+'; }
constexpr bool is_list_char(char c) { return is_astring_char(c) || c == '%' || c == '*'; }

}  // namespace postern::imap
