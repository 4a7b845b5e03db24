// What every handler of the API parses: half of its compiling.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "cmake/pch.hpp"
#include "web/api/handlers.hpp"
