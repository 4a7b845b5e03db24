// Where a redirect's Location leads (RFC 3986 §5.2).
#include <algorithm>
#include <optional>

#include "core/ascii.hpp"
#include "core/outbound/url.hpp"

namespace postern::outbound {

namespace {

// RFC 3986 §5.2.4, of a path that begins with '/'.
std::string remove_dot_segments(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const auto end = std::min(path.find('/', 1), path.size());
    const auto segment = path.substr(0, end);
    path.remove_prefix(end);
    const bool up = segment == "/..";
    if (up) out.resize(out.empty() ? 0 : out.rfind('/'));
    if (!up && segment != "/.") {
      out += segment;
    } else if (path.empty()) {
      out += '/';
    }
  }
  return out;
}

std::string merge(std::string_view base_path, std::string_view path) {
  if (path.starts_with('/')) return remove_dot_segments(path);
  std::string whole(base_path.substr(0, base_path.rfind('/') + 1));
  return remove_dot_segments(whole.append(path));
}

// RFC 3986 §3.1; the colon comes before whatever could hold one otherwise.
bool has_scheme(std::string_view reference) {
  const auto colon = reference.find(':');
  return colon != std::string_view::npos && colon > 0 && ascii::is_alpha(reference.front()) &&
         std::ranges::all_of(reference.substr(0, colon), [](char c) {
           return ascii::is_alnum(c) || c == '+' || c == '-' || c == '.';
         });
}

// RFC 3986 §5.2.2, without a look at what is in the parts: check_url() takes it from there.
std::optional<std::string> transform_reference(const Url& base, std::string_view location) {
  if (location.size() > kMaxUrl || !is_url_text(location)) return std::nullopt;
  location = location.substr(0, location.find('#'));
  if (has_scheme(location)) return std::string(location);
  const std::string scheme = base.scheme == Scheme::https ? "https:" : "http:";
  if (location.starts_with("//")) return scheme + std::string(location);
  const std::string origin = scheme + "//" + base.authority();
  const std::string_view base_target = base.target;
  const auto base_path = base_target.substr(0, base_target.find('?'));
  const auto question = std::min(location.find('?'), location.size());
  const auto path = location.substr(0, question);
  // §4.2: a relative path's first segment has no colon.
  if (path.substr(0, path.find('/')).find(':') != std::string_view::npos) return std::nullopt;
  if (location.empty()) return origin + base.target;
  if (path.empty()) return origin + std::string(base_path) + std::string(location);
  return origin + merge(base_path, path) + std::string(location.substr(question));
}

}  // namespace

Result<Url> check_redirect(const Url& base, std::string_view location,
                           const OutboundOptions& options) {
  const auto text = transform_reference(base, location);
  if (!text) return fail(Errc::invalid, "the redirect's location is not a URL");
  auto url = check_url(*text, options);
  if (url && base.scheme == Scheme::https && url->scheme != Scheme::https) {
    return fail(Errc::denied, "the redirect leads from https to http");
  }
  return url;
}

}  // namespace postern::outbound
