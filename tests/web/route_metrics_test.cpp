#include "web/api/table/route_metrics.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "core/metrics.hpp"

using namespace postern;
using namespace std::chrono_literals;

namespace {

bool shows(std::string_view line) {
  return metrics::render().find("\n" + std::string(line) + "\n") != std::string::npos;
}

}  // namespace

TEST_CASE("answers_are_counted_by_route_and_status", "[metrics]") {
  web::count_answer("a.route", web::Method::get, 200, 3ms);
  web::count_answer("a.route", web::Method::get, 204, 3ms);
  web::count_answer("a.route", web::Method::get, 429, 3ms);
  web::count_answer("another.route", web::Method::post, 503, 3s);
  CHECK(shows(R"(postern_http_requests_total{route="a.route",status="2xx"} 2)"));
  CHECK(shows(R"(postern_http_requests_total{route="a.route",status="4xx"} 1)"));
  CHECK(shows(R"(postern_http_requests_total{route="another.route",status="5xx"} 1)"));
  CHECK(shows(R"(postern_http_request_seconds_bucket{kind="write",le="1"} 0)"));
  CHECK(shows(R"(postern_http_request_seconds_bucket{kind="write",le="5"} 1)"));
  CHECK(shows(R"(postern_http_request_seconds_bucket{kind="read",le="0.0025"} 0)"));
  CHECK(shows(R"(postern_http_request_seconds_bucket{kind="read",le="0.005"} 3)"));
}
