#include "web/api/table/route.hpp"

#include <catch2/catch.hpp>
#include <set>

#include "web/api/table/routes.hpp"

using namespace postern::web;

namespace {
Request request_of(Method method, std::string path, std::string body = {}) {
  Request request;
  request.method = method;
  request.path = std::move(path);
  request.body = std::move(body);
  return request;
}
}  // namespace

TEST_CASE("route_parameters_are_decoded_segment_by_segment") {
  auto request = request_of(Method::post, "/v1/accounts/a%2Fb%40c.example/suspend");
  const auto match = find_route(api_routes(), request);
  REQUIRE(match.route != nullptr);
  CHECK(match.route->name == "account.suspend");
  CHECK(request.parameters.at("address") == "a/b@c.example");
}

TEST_CASE("unknown_paths_are_404_and_wrong_methods_405_with_allow") {
  for (const auto* path : {"/", "/v1", "/v1/nothing", "/v1/tenants/", "/v1/tenants//suspend",
                           "//v1/tenants", "v1/tenants", "/v1/tenants/%zz"}) {
    auto request = request_of(Method::get, path);
    INFO(path);
    CHECK(find_route(api_routes(), request).refusal.status == 404);
  }
  auto request = request_of(Method::put, "/v1/tenants");
  const auto match = find_route(api_routes(), request);
  CHECK(match.refusal.status == 405);
  REQUIRE_FALSE(match.refusal.headers.empty());
  CHECK(match.refusal.headers.front() == std::pair<std::string, std::string>{"Allow", "POST, GET"});
}

TEST_CASE("every_route_has_a_name_a_summary_and_a_place_of_its_own") {
  std::set<std::pair<Method, std::string_view>> seen;
  std::set<std::string_view> names;
  for (const auto& route : api_routes()) {
    INFO(route.pattern);
    CHECK(names.insert(route.name).second);
    CHECK(route.name.contains('.'));
    CHECK_FALSE(route.summary.empty());
    CHECK(route.handler != nullptr);
    CHECK(seen.emplace(route.method, route.pattern).second);
  }
}
