#include "web/http/router.hpp"

#include <boost/json/parse.hpp>

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

bool matches(std::string_view pattern, std::string_view path,
             std::map<std::string, std::string>& out) {
  out.clear();
  while (pattern.starts_with('/') && path.starts_with('/')) {
    const auto want = next_segment(pattern);
    const auto have = next_segment(path);
    if (want.starts_with('{')) {
      auto value = percent_decode(have);
      if (!value || value->empty()) return false;
      out[std::string(want.substr(1, want.size() - 2))] = std::move(*value);
    } else if (want != have) {
      return false;
    }
  }
  return pattern.empty() && path.empty();
}

bool parse_body(Request& request) {
  if (request.body.empty()) {
    request.json = boost::json::object{};
    return true;
  }
  boost::json::error_code error;
  boost::json::parse_options options;
  options.max_depth = 16;
  request.json = boost::json::parse(request.body, error, {}, options);
  return !error && request.json.is_object();
}

}  // namespace

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
    if (!parse_body(request)) {
      return {nullptr, problem(400, "Invalid request", "the body is not a JSON object")};
    }
    return {&route, {}};
  }
  if (allowed.empty()) return {nullptr, problem(404, "Not found", "no such resource")};
  Response refusal = problem(405, "Method not allowed", "this resource allows " + allowed);
  refusal.headers.emplace_back("Allow", allowed);
  return {nullptr, std::move(refusal)};
}

}  // namespace postern::web
