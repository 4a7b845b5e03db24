#include "web/api/support.hpp"

namespace postern::web::api {

Response bad_member(std::string_view member, const Error& error) {
  return problem(400, "Invalid request", error.message, member);
}

Response list_response(boost::json::array items, std::size_t rows, std::string_view last) {
  boost::json::object document{{"items", std::move(items)}};
  if (rows == kPage) document["cursor"] = last;
  return json_response(document);
}

}  // namespace postern::web::api
