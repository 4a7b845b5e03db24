// Whose a recipient is: the address that its mail is routed by, and what the directory says of it.
//
// `<postmaster>` without a domain, and postmaster@ and abuse@ this server's own host name (where
// reports of ours come from), belong to the nearest hosted domain: the host name itself or a parent
// of it (RFC 5321 §4.5.1, RFC 2142). An address of another server that the directory can't parse (a
// long local part) is that server's to judge; one of a hosted domain has no mailbox.
#pragma once

#include <memory>
#include <string>

#include "accounts/directory.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "smtp/protocol/path.hpp"
#include "smtp/reception/environment.hpp"

namespace postern::smtp::reception {

struct Recipiency {
  std::string address;
  std::shared_ptr<const accounts::Resolution> resolution;
};

/// Errors are those of the database: temporary for the peer.
Task<Result<Recipiency>> find_recipient(const Environment& environment, Path path);

}  // namespace postern::smtp::reception
