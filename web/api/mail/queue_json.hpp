// Queue rows as JSON: what the API answers and what `queue list --data DIR` prints without a
// server.
#pragma once

#include <boost/json/object.hpp>

#include "smtp/queue/management.hpp"

namespace postern::web::api {

boost::json::object to_json(const smtp::queue::Recipient& recipient);
boost::json::object to_json(const smtp::queue::Envelope& envelope);
/// {"items": [...], "cursor": "..."}
boost::json::object to_json(const smtp::queue::ListPage& page);

}  // namespace postern::web::api
