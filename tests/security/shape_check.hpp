// Whether an answer is what its route says it answers.
#pragma once

#include <string>

#include "web/api/table/route.hpp"

namespace postern::test {

/// Empty when it conforms; else what is wrong: the status, the form, a member that is missing, not
/// declared, or of another kind.
std::string mismatch(const web::Answer& answer, const web::Response& response);

}  // namespace postern::test
