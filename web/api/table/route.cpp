#include "web/api/table/route.hpp"

#include "web/http/parser.hpp"

namespace postern::web {

namespace {

std::string_view next_segment(std::string_view& rest) {
  rest.remove_prefix(1);  // the slash
  const auto end = rest.find('/');
  const auto segment = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end);
  return segment;
}

bool is_parameter(std::string_view segment) { return segment.starts_with('{'); }
std::string_view name_of(std::string_view segment) { return segment.substr(1, segment.size() - 2); }

bool matches(std::string_view pattern, std::string_view path,
             std::map<std::string, std::string>& out) {
  out.clear();
  while (pattern.starts_with('/') && path.starts_with('/')) {
    const auto want = next_segment(pattern);
    const auto have = next_segment(path);
    if (is_parameter(want)) {
      auto value = percent_decode(have);
      if (!value || value->empty()) return false;
      out[std::string(name_of(want))] = std::move(*value);
    } else if (want != have) {
      return false;
    }
  }
  return pattern.empty() && path.empty();
}

}  // namespace

std::vector<std::string_view> parameters_of(std::string_view pattern) {
  std::vector<std::string_view> names;
  while (pattern.starts_with('/')) {
    const auto segment = next_segment(pattern);
    if (is_parameter(segment)) names.push_back(name_of(segment));
  }
  return names;
}

Match find_route(std::span<const Route> routes, Request& request) {
  std::string allowed;
  for (const Route& route : routes) {
    std::map<std::string, std::string> parameters;
    if (!matches(route.pattern, request.path, parameters)) continue;
    if (route.method != request.method) {
      if (!allowed.empty()) allowed += ", ";
      allowed += to_string(route.method);
      continue;
    }
    request.parameters = std::move(parameters);
    return {&route, {}};
  }
  if (allowed.empty()) return {nullptr, problem(404, "Not found", "no such resource")};
  Response refusal = problem(405, "Method not allowed", "this resource allows " + allowed);
  refusal.headers.emplace_back("Allow", allowed);
  return {nullptr, std::move(refusal)};
}

}  // namespace postern::web
