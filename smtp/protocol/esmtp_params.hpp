// ESMTP parameters (RFC 5321 §4.1.2): `KEYWORD[=value]` after a path, separated by single spaces.
#pragma once

#include <functional>
#include <string_view>

#include "smtp/protocol/reply.hpp"

namespace postern::smtp {

struct EsmtpParameter {
  std::string_view keyword;
  std::string_view value;
  bool has_value = false;  ///< "KEYWORD=" has one, though empty (and is refused as malformed)
};

/// Calls `take` for each; stops at its first refusal. Malformed text: 501 5.5.4; more than 16
/// parameters too.
Outcome<> for_each_parameter(std::string_view text,
                             const std::function<Outcome<>(const EsmtpParameter&)>& take);

}  // namespace postern::smtp
