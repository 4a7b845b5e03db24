#include "tests/security/shape_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>

#include "web/api/timestamp.hpp"

namespace postern::test {

namespace json = boost::json;
using web::Kind;
using web::Member;
using web::Presence;

namespace {

std::string_view view(const json::string& text) { return {text.data(), text.size()}; }

std::string mismatch(const web::Shape& shape, const json::value& value);

bool is_text(const Member& member, const json::value& value) {
  if (!value.is_string()) return false;
  return member.one_of.empty() ||
         std::ranges::find(member.one_of, view(value.as_string())) != member.one_of.end();
}

bool are_texts(const json::value& value) {
  return value.is_array() &&
         std::ranges::all_of(value.as_array(), [](const auto& one) { return one.is_string(); });
}

std::string mismatch_of_each(const Member& member, const json::value& value) {
  if (!value.is_array()) return "is no list";
  for (const auto& one : value.as_array()) {
    if (auto wrong = mismatch(*member.shape, one); !wrong.empty()) return wrong;
  }
  return {};
}

std::string mismatch_of_kind(const Member& member, const json::value& value) {
  const auto unless = [](bool fits) { return fits ? "" : "is of another kind"; };
  switch (member.kind) {
    case Kind::text: return unless(is_text(member, value));
    case Kind::integer: return unless(value.is_int64() || value.is_uint64());
    case Kind::number: return unless(value.is_number());
    case Kind::flag: return unless(value.is_bool());
    case Kind::time:
      return unless(value.is_string() && web::parse_timestamp(view(value.as_string())));
    case Kind::texts: return unless(are_texts(value));
    case Kind::object:
      if (member.shape == nullptr) return unless(value.is_object());
      return mismatch(*member.shape, value);
    case Kind::objects: return mismatch_of_each(member, value);
  }
  return "is of no kind";
}

std::string mismatch(const web::Shape& shape, const json::value& value) {
  if (!value.is_object()) return fmt::format("{} is no object", shape.name);
  for (const auto& [name, one] : value.as_object()) {
    const auto known = std::ranges::find(shape.members, std::string_view(name), &Member::name);
    if (known == shape.members.end())
      return fmt::format("{}.{} isn't declared", shape.name, std::string_view(name));
    if (one.is_null() && known->presence == Presence::optional) continue;
    if (const auto wrong = mismatch_of_kind(*known, one); !wrong.empty())
      return fmt::format("{}.{} {}", shape.name, std::string_view(name), wrong);
  }
  for (const auto& member : shape.members) {
    if (member.presence == Presence::required &&
        !value.as_object().contains({member.name.data(), member.name.size()})) {
      return fmt::format("{}.{} is missing", shape.name, member.name);
    }
  }
  return {};
}

std::string mismatch_of_list(const web::Shape& shape, const json::value& value) {
  if (!value.is_object() || !value.as_object().contains("items")) return "there are no items";
  for (const auto& [name, one] : value.as_object()) {
    if (name == "cursor" && one.is_string()) continue;
    if (name != "items" || !one.is_array())
      return fmt::format("\"{}\" doesn't belong to a list", std::string_view(name));
    for (const auto& item : one.as_array()) {
      if (auto wrong = mismatch(shape, item); !wrong.empty()) return wrong;
    }
  }
  return {};
}

}  // namespace

std::string mismatch(const web::Answer& answer, const web::Response& response) {
  using enum web::Answer::Form;
  if (response.status != answer.status)
    return fmt::format("the status is {}, not {}", response.status, answer.status);
  if (answer.form == nothing) return response.body.empty() ? "" : "there is a body";
  if (response.content_type != answer.media_type)
    return fmt::format("the media type is {}", response.content_type);
  if (answer.form == text) return response.body.empty() ? "there is no text" : "";
  json::error_code error;
  const auto value = json::parse(response.body, error);
  if (error) return "the body is no JSON";
  return answer.form == one ? mismatch(*answer.shape, value)
                            : mismatch_of_list(*answer.shape, value);
}

}  // namespace postern::test
