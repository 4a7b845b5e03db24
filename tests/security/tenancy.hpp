// A tenant with one of everything that a tenant can have, made through the API, and people who come
// to it from outside. Every name of it holds the tenant's name, so that a text which leaks one is
// found by that.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "smtp/reception/environment.hpp"
#include "tests/security/house.hpp"

namespace postern::test {

/// What a route's parameters can name: by the parameter's name in the table of values.cpp.
struct Tenancy {
  std::string name;                 ///< "alpha"
  Texts things;                     ///< "tenant", "domain", "address", "credential", "role", ...
  Credential key;                   ///< with all of a tenant's permissions
  Credential owner;                 ///< a session whose second factor is fresh
  std::string totp_secret;          ///< the owner's, raw
  std::vector<std::string> people;  ///< ids
  /// All that only this tenant has: ids, and its name, which is in all the others.
  std::set<std::string> identifiers;
};

/// A person who gives a link from a mail or an answer.
Credential sign_in_by_link(House& house, const std::string& url);
/// Sets an authenticator app up, which makes the session's second factor fresh; the raw secret.
std::string set_up_totp(House& house, const Credential& session);
/// The code of the clock's time, a step further at each call: a code is good once.
std::string totp_now(House& house, const std::string& secret);

Tenancy make_tenancy(House& house, const std::string& name, const std::string& agency);
/// Names of the same form as a tenancy's, of nothing that exists. Ids are of the right form.
Tenancy make_ghost(const Tenancy& like, const std::string& name);

/// A second domain of a tenant that is there, with all that hangs below a domain; the rest is the
/// tenant's.
Tenancy make_sibling(House& house, const Tenancy& tenant, const std::string& name);

/// Has a link mailed and follows it.
Credential sign_in_by_mail(House& house, const std::string& email);
/// A person of the platform: signed in, with a fresh second factor.
Credential make_operator(House& house, const std::string& email);
/// Somebody to whom tenants give connections.
std::string make_agency(House& house);

/// What mail is accepted with: the house's parts, its DNS, the real clock.
smtp::reception::Environment reception_environment(House& house);
/// A message that waits in the tenant's queue; its id.
std::string put_in_queue(House& house, const std::string& tenant_id, const std::string& from);

}  // namespace postern::test
