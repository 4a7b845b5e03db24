// What a request or an answer looks like, as data: from it come the validation of requests, the
// OpenAPI document and the reference page. All of it is constant and lives in
// web/api/table/shapes.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace postern::web {

enum class Kind : std::uint8_t {
  text,
  integer,
  number,  ///< in answers only
  flag,    ///< true or false
  time,    ///< RFC 3339, UTC
  texts,   ///< a list of texts
  object,
  objects,  ///< a list
};

enum class Presence : std::uint8_t { required, optional };

struct Shape;

struct Member {
  std::string_view name;
  Kind kind;
  Presence presence;
  std::string_view doc;
  /// Octets of a text or of each of a list's; the largest integer. Zero is never "no limit".
  std::size_t limit = 512;
  std::span<const std::string_view> one_of{};  ///< the only texts that are taken
  const Shape* shape = nullptr;                ///< of an object, or of each of a list
  std::size_t items = 100;                     ///< of a list, at most
};

struct Shape {
  std::string_view name;  ///< in the OpenAPI document
  std::span<const Member> members;
};

}  // namespace postern::web
