// What the tests of isolation do with text: names put into lines to send, and taken out of what was
// answered; a login as SASL PLAIN sends it.
#pragma once

#include <string>
#include <string_view>

#include "core/encoding.hpp"

namespace postern::test {

/// `from` isn't empty.
inline void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

/// RFC 4616, in base64.
inline std::string sasl_plain(const std::string& authorize, const std::string& login,
                              const std::string& password) {
  const std::string nul(1, '\0');
  return base64_encode(authorize + nul + login + nul + password);
}

}  // namespace postern::test
