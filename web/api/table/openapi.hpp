// The API's description from the route table: OpenAPI 3.1, and a page for people.
#pragma once

#include <boost/json/object.hpp>
#include <span>
#include <string>

#include "web/api/table/route.hpp"

namespace postern::web {

/// The whole document (openapis.org, version 3.1.0). `version`: the program's.
boost::json::object make_openapi(std::span<const Route> routes, std::string_view version);

struct ReferencePage {
  std::string html;
  std::string content_security_policy;  ///< allows the page's own style, by its hash
};
ReferencePage make_reference(std::span<const Route> routes, std::string_view version);

}  // namespace postern::web
