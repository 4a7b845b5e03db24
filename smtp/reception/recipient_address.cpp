#include "smtp/reception/recipient_address.hpp"

#include "core/ascii.hpp"

namespace postern::smtp::reception {

namespace {

bool is_ours(const Path& path, const std::string& hostname) {
  if (path.domain.empty()) return true;
  const bool role = ascii::iequals(path.local, "postmaster") || ascii::iequals(path.local, "abuse");
  return role && ascii::iequals(path.domain, hostname);
}

}  // namespace

Task<Result<std::string>> address_of(const Environment& environment, Path path) {
  const std::string& hostname = environment.policy.hostname;
  if (!is_ours(path, hostname)) co_return to_string(path);
  for (std::string domain = hostname; domain.find('.') != std::string::npos;
       domain = domain.substr(domain.find('.') + 1)) {
    auto hosted = co_await environment.directory->is_local_domain(domain);
    if (!hosted) co_return std::unexpected(hosted.error());
    if (*hosted) co_return path.local + "@" + domain;
  }
  co_return path.local + "@" + hostname;
}

}  // namespace postern::smtp::reception
