// Every route with every parameter that can name a thing: what is somebody else's has to give the
// same answer as what is not there, octet by octet, once the name itself is replaced.
#pragma once

#include <functional>
#include <set>
#include <string>

#include "tests/security/database_dump.hpp"
#include "tests/security/values.hpp"

namespace postern::test {

/// Who asks has everything of `own`; `other` has everything, `ghost` is nobody.
struct Subjects {
  const Tenancy& own;
  const Tenancy& other;
  const Tenancy& ghost;
  std::set<std::string> only{};  ///< of Tenancy::things; empty: all of them
};

/// What a client sees, with the names of `whose` replaced by the ghost's.
std::string seen(const web::Response& response, const Tenancy& whose, const Tenancy& ghost);

/// Fails the test where a wanted route tells them apart, or changes something of the other's.
void compare_all(House& house, const Subjects& subjects, const Credential& who,
                 const std::function<bool(const web::Route&)>& wanted);

void check_same(const Dump& after, const Dump& before);

}  // namespace postern::test
