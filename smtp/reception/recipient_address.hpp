// The address that a recipient's mail is routed by.
//
// `<postmaster>` without a domain, and postmaster@ and abuse@ this server's own host name (where
// reports of ours come from), belong to the nearest hosted domain: the host name itself or a parent
// of it (RFC 5321 §4.5.1, RFC 2142).
#pragma once

#include <string>

#include "core/result.hpp"
#include "core/task.hpp"
#include "smtp/protocol/path.hpp"
#include "smtp/reception/environment.hpp"

namespace postern::smtp::reception {

/// Errors are those of the database.
Task<Result<std::string>> address_of(const Environment& environment, Path path);

}  // namespace postern::smtp::reception
