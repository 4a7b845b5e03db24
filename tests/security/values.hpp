// What to put where a route has a parameter: the one table (values.cpp) that the tests of all
// routes take their values from, and the requests made with it.
//
// A parameter that the table doesn't know fails the test that meets it: whoever adds a route with a
// new parameter says there whether it names somebody's thing.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "tests/security/tenancy.hpp"
#include "web/api/table/route.hpp"

namespace postern::test {

enum class Place : std::uint8_t { path, query, body };

/// One parameter of one route.
struct Slot {
  Place place;
  std::string name;          ///< the parameter's
  std::string thing;         ///< which of Tenancy::things it names; empty: none
  boost::json::value fixed;  ///< what stands there otherwise
  bool required = true;
  bool list = false;
};

/// All of a route's parameters that a request has to give, and the optional ones that name a thing.
std::vector<Slot> slots_of(const web::Route& route);

/// Whose thing each slot names: in the order of the slots, nullptr leaves it out (required ones
/// can't be).
using Owners = std::vector<const Tenancy*>;

web::Request request_of(const web::Route& route, const std::vector<Slot>& slots,
                        const Owners& owners);

/// Everything required, of one tenancy.
web::Request request_of(const web::Route& route, const Tenancy& whose);

/// Whether it changes something: by its method, but for those that only answer (see values.cpp).
bool changes(const web::Route& route);

}  // namespace postern::test
