// Entity tags (RFC 9110 §8.8.3) where two people may edit: an answer's tag is a hash of what it
// shows, and a change says with If-Match what it was made from.
#pragma once

#include <boost/json/value.hpp>
#include <string>

#include "web/http/message.hpp"

namespace postern::web {

/// Quoted, strong.
std::string entity_tag(const boost::json::value& shown);
/// Adds ETag of a JSON answer's body.
Response with_entity_tag(Response response);
/// `wanted`: If-Match as it came, empty when it didn't (then anything matches). `current`: what an
/// answer would show now.
bool entity_tag_matches(std::string_view wanted, const boost::json::value& current);
/// 412, for a change that was made from something else than what is there.
Response precondition_failed();

}  // namespace postern::web
