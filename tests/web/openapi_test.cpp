#include "web/api/table/openapi.hpp"

#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>
#include <functional>
#include <map>
#include <set>

#include "core/ascii.hpp"
#include "core/crypto.hpp"
#include "core/encoding.hpp"
#include "web/api/table/routes.hpp"

using namespace postern;
using namespace postern::web;
namespace json = boost::json;

namespace {

std::string text(const json::value& value) { return std::string(value.as_string().c_str()); }

const json::object& document() {
  static const json::object made = make_openapi(api_routes(), "1.2.3");
  return made;
}
const json::object& schemas() {
  return document().at("components").as_object().at("schemas").as_object();
}
const json::object& operation(const Route& route) {
  const auto& path = document().at("paths").as_object().at(std::string(route.pattern)).as_object();
  return path.at(ascii::to_lower(to_string(route.method))).as_object();
}

void walk(const json::value& value, const std::function<void(const json::object&)>& visit) {
  if (const auto* array = value.if_array()) {
    for (const auto& item : *array) walk(item, visit);
  } else if (const auto* object = value.if_object()) {
    visit(*object);
    for (const auto& [name, member] : *object) walk(member, visit);
  }
}

using Shapes = std::map<std::string_view, const Member*>;
// Two shapes of one name would be one in the document.
void collect(const Shape* shape, Shapes& found) {
  if (shape == nullptr) return;
  INFO(shape->name);
  const auto [known, fresh] = found.emplace(shape->name, shape->members.data());
  CHECK(known->second == shape->members.data());
  if (!fresh) return;
  for (const auto& member : shape->members) collect(member.shape, found);
}

/// The names of an operation's parameters that are `in` path or query.
std::set<std::string> parameters(const json::object& operation, std::string_view in) {
  std::set<std::string> names;
  const auto* list = operation.if_contains("parameters");
  if (list == nullptr) return names;
  for (const auto& item : list->as_array()) {
    const auto& parameter = item.as_object();
    if (text(parameter.at("in")) != in) continue;
    CHECK(parameter.contains("schema"));
    if (in == "path") CHECK(parameter.at("required").as_bool());
    CHECK(names.insert(text(parameter.at("name"))).second);
  }
  return names;
}

constexpr std::array kBodyMembers{
    Member{"name", Kind::text, Presence::required, "Its name", 7},
    Member{"notes", Kind::texts, Presence::optional, "", 9, {}, nullptr, 3},
    Member{"size", Kind::integer, Presence::optional, "", 5},
    Member{"at", Kind::time, Presence::required, ""}};
constexpr Shape kBody{"Small", kBodyMembers};
constexpr std::array kOptional{Member{"loud", Kind::flag, Presence::optional, ""},
                               Member{"size", Kind::integer, Presence::optional, "", 5},
                               Member{"note", Kind::text, Presence::optional, "", 7}};
constexpr Shape kAnswer{"Loose", kOptional};
constexpr std::array kSmall{Route{Method::put, "/v1/a/{b}/c/{d}", "a.change", kPerson,
                                  "Change <it> & \"more\"", nullptr, gives(kAnswer, 202), &kBody}};

}  // namespace

TEST_CASE("description_holds_every_route_once") {
  CHECK(text(document().at("openapi")) == "3.1.0");
  CHECK(text(document().at("info").as_object().at("version")) == "1.2.3");
  std::size_t operations = 0;
  for (const auto& [path, methods] : document().at("paths").as_object())
    operations += methods.as_object().size();
  CHECK(operations == api_routes().size());
  std::set<std::string> ids;
  for (const auto& route : api_routes()) {
    INFO(to_string(route.method) << " " << route.pattern);
    const auto& described = operation(route);
    CHECK(text(described.at("operationId")) == route.name);
    CHECK(ids.insert(text(described.at("operationId"))).second);
    CHECK(text(described.at("summary")) == route.summary);
    const auto& responses = described.at("responses").as_object();
    CHECK(responses.contains("default"));
    CHECK(responses.contains(std::to_string(route.answer.status)));
    CHECK(described.contains("requestBody") == (route.body != nullptr));
  }
}

TEST_CASE("parameters_of_every_path_are_declared") {
  for (const auto& [path, methods] : document().at("paths").as_object()) {
    std::set<std::string> named;
    const std::string pattern(path);
    for (auto at = pattern.find('{'); at != std::string::npos; at = pattern.find('{', at + 1))
      named.insert(pattern.substr(at + 1, pattern.find('}', at) - at - 1));
    for (const auto& [method, described] : methods.as_object()) {
      INFO(method << " " << pattern);
      CHECK(parameters(described.as_object(), "path") == named);
    }
  }
  for (const auto& route : api_routes())
    CHECK(parameters(operation(route), "query").size() == route.query.size());
}

TEST_CASE("every_reference_leads_to_a_schema") {
  std::set<std::string> used;
  walk(document(), [&](const json::object& object) {
    const auto* to = object.if_contains("$ref");
    if (to == nullptr || !to->is_string()) return;
    const std::string prefix = "#/components/schemas/";
    REQUIRE(text(*to).starts_with(prefix));
    used.insert(text(*to).substr(prefix.size()));
    CHECK(schemas().contains(text(*to).substr(prefix.size())));
  });
  for (const auto& [name, schema] : schemas()) {
    INFO(name);
    CHECK(used.contains(std::string(name)));
    CHECK_FALSE(schema.as_object().empty());
  }
  Shapes found;
  for (const auto& route : api_routes()) {
    collect(route.body, found);
    collect(route.answer.shape, found);
  }
  CHECK(found.size() + 1 == schemas().size());  // and the problem document
}

TEST_CASE("guarded_routes_say_who_may") {
  CHECK(document().at("security").as_array().size() == 2);  // a key or a session, by default
  const auto& schemes = document().at("components").as_object().at("securitySchemes").as_object();
  for (const auto& one : document().at("security").as_array()) {
    for (const auto& [scheme, scopes] : one.as_object()) CHECK(schemes.contains(scheme));
  }
  for (const auto& route : api_routes()) {
    INFO(route.name);
    const auto& described = operation(route);
    const auto* security = described.if_contains("security");
    const bool open = security != nullptr && security->as_array().empty();
    CHECK(open == (route.guard.kind == Guard::Kind::anyone));
    const auto* permission = described.if_contains("x-permission");
    REQUIRE((permission != nullptr) == (route.guard.kind == Guard::Kind::permission));
    if (permission != nullptr) CHECK(text(*permission) == to_string(route.guard.permission));
  }
}

TEST_CASE("shape_becomes_a_json_schema") {
  const auto made = make_openapi(kSmall, "1");
  const auto& all = made.at("components").as_object().at("schemas").as_object();
  const auto expected = json::parse(R"({"type":"object","properties":{
      "name":{"type":"string","maxLength":7,"description":"Its name"},
      "notes":{"type":"array","items":{"type":"string","maxLength":9},"maxItems":3},
      "size":{"type":"integer","minimum":0,"maximum":5},
      "at":{"type":"string","format":"date-time"}},"required":["name","at"]})");
  CHECK(all.at("Small") == expected);
  // What is answered isn't limited.
  CHECK(all.at("Loose") == json::parse(R"({"type":"object","properties":{
      "loud":{"type":"boolean"},"size":{"type":"integer","minimum":0},"note":{"type":"string"}}})"));
  const auto& put = made.at("paths").as_object().at("/v1/a/{b}/c/{d}").as_object().at("put");
  CHECK(put.as_object().at("requestBody").as_object().at("required").as_bool());
  CHECK(put.as_object().at("responses").as_object().contains("202"));
}

TEST_CASE("reference_page_names_every_route_and_runs_no_script") {
  const auto page = make_reference(api_routes(), "1.2.3<");
  for (const auto& route : api_routes()) {
    INFO(route.pattern);
    CHECK(page.html.contains(fmt::format("{} {}<", to_string(route.method), route.pattern)));
    CHECK(page.html.contains(fmt::format("id=\"{}\"", route.name)));
  }
  CHECK_FALSE(ascii::to_lower(page.html).contains("<script"));
  CHECK_FALSE(page.html.contains(" style="));
  CHECK(page.html.contains("1.2.3&lt;"));
  CHECK(make_reference(kSmall, "1").html.contains("Change &lt;it&gt; &amp; &quot;more&quot;"));

  const auto begin = page.html.find("<style>") + 7;
  const auto end = page.html.find("</style>");
  REQUIRE(end != std::string::npos);
  CHECK(page.html.find("<style", begin) == std::string::npos);
  const auto hash = base64_encode(crypto::sha256(page.html.substr(begin, end - begin)));
  CHECK(page.content_security_policy.contains("style-src 'sha256-" + hash + "';"));
  CHECK(page.content_security_policy.starts_with("default-src 'none';"));
}
