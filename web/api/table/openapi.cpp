#include "web/api/table/openapi.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>

#include "core/ascii.hpp"

namespace postern::web {

namespace json = boost::json;

namespace {

json::string_view view(std::string_view text) { return {text.data(), text.size()}; }
std::string reference_to(std::string_view schema) {
  return fmt::format("#/components/schemas/{}", schema);
}
json::object refer(std::string_view schema) { return {{"$ref", reference_to(schema)}}; }

/// Limits are checked in requests; of answers they say nothing.
enum class Side : std::uint8_t { request, answer };

json::object text_schema(const Member& member, Side side) {
  json::object schema{{"type", "string"}};
  if (side == Side::request) schema["maxLength"] = member.limit;
  if (member.one_of.empty()) return schema;
  json::array values;
  for (const auto value : member.one_of) values.emplace_back(view(value));
  schema["enum"] = std::move(values);
  return schema;
}

json::object integer_schema(const Member& member, Side side) {
  json::object schema{{"type", "integer"}, {"minimum", 0}};
  if (side == Side::request) schema["maximum"] = member.limit;
  return schema;
}

json::object list_of_texts_schema(const Member& member, Side side) {
  json::object schema{{"type", "array"}, {"items", text_schema(member, side)}};
  if (side == Side::request) schema["maxItems"] = member.items;
  return schema;
}

json::object schema_of(const Member& member, Side side) {
  switch (member.kind) {
    case Kind::text: return text_schema(member, side);
    case Kind::integer: return integer_schema(member, side);
    case Kind::number: return {{"type", "number"}};
    case Kind::flag: return {{"type", "boolean"}};
    case Kind::time: return {{"type", "string"}, {"format", "date-time"}};
    case Kind::texts: return list_of_texts_schema(member, side);
    case Kind::object:
      return member.shape == nullptr ? json::object{{"type", "object"}} : refer(member.shape->name);
    case Kind::objects: return {{"type", "array"}, {"items", refer(member.shape->name)}};
  }
  return {};
}

json::object schema_of(const Shape& shape, Side side, json::object& schemas);

// Every shape that a shape names goes into the document too.
void add_schema(const Shape& shape, Side side, json::object& schemas) {
  if (schemas.contains(view(shape.name))) return;
  schemas[view(shape.name)] = json::object{};  // ends a circle, should there be one
  schemas[view(shape.name)] = schema_of(shape, side, schemas);
}

json::object schema_of(const Shape& shape, Side side, json::object& schemas) {
  json::object properties;
  json::array required;
  for (const auto& member : shape.members) {
    auto schema = schema_of(member, side);
    if (!member.doc.empty()) schema["description"] = view(member.doc);
    properties[view(member.name)] = std::move(schema);
    if (member.presence == Presence::required) required.emplace_back(view(member.name));
    if (member.shape != nullptr) add_schema(*member.shape, side, schemas);
  }
  json::object schema{{"type", "object"}, {"properties", std::move(properties)}};
  if (!required.empty()) schema["required"] = std::move(required);
  return schema;
}

json::array parameters_for(const Route& route) {
  json::array parameters;
  for (const auto name : parameters_of(route.pattern)) {
    parameters.push_back(json::object{{"name", view(name)},
                                      {"in", "path"},
                                      {"required", true},
                                      {"schema", json::object{{"type", "string"}}}});
  }
  for (const auto& member : route.query) {
    parameters.push_back(json::object{{"name", view(member.name)},
                                      {"in", "query"},
                                      {"required", member.presence == Presence::required},
                                      {"description", view(member.doc)},
                                      {"schema", schema_of(member, Side::request)}});
  }
  return parameters;
}

json::object content_of(std::string_view media_type, json::object schema) {
  json::object content;
  content[view(media_type)] = json::object{{"schema", std::move(schema)}};
  return content;
}

json::object list_schema(const Shape& shape) {
  json::object properties{
      {"items", json::object{{"type", "array"}, {"items", refer(shape.name)}}},
      {"cursor", json::object{{"type", "string"},
                              {"description", "There may be more: pass it on to get it"}}}};
  return {{"type", "object"},
          {"properties", std::move(properties)},
          {"required", json::array{"items"}}};
}

json::object answer_of(const Route& route, json::object& schemas) {
  const auto& answer = route.answer;
  json::object described{{"description", answer.form == Answer::Form::nothing ? "Done" : "Done: "}};
  if (answer.shape != nullptr) add_schema(*answer.shape, Side::answer, schemas);
  switch (answer.form) {
    case Answer::Form::nothing: break;
    case Answer::Form::one:
      described["description"] = view(answer.shape->name);
      described["content"] = content_of(answer.media_type, refer(answer.shape->name));
      break;
    case Answer::Form::list:
      described["description"] = fmt::format("A list of {}", answer.shape->name);
      described["content"] = content_of(answer.media_type, list_schema(*answer.shape));
      break;
    case Answer::Form::text:
      described["description"] = "A text";
      described["content"] = content_of(answer.media_type, json::object{{"type", "string"}});
      break;
  }
  return described;
}

json::object operation_of(const Route& route, json::object& schemas) {
  json::object operation{{"operationId", view(route.name)}, {"summary", view(route.summary)}};
  const auto dot = route.name.find('.');
  operation["tags"] = json::array{view(route.name.substr(0, dot))};
  if (auto parameters = parameters_for(route); !parameters.empty())
    operation["parameters"] = std::move(parameters);
  if (route.body != nullptr) {
    add_schema(*route.body, Side::request, schemas);
    operation["requestBody"] = json::object{
        {"required", true}, {"content", content_of("application/json", refer(route.body->name))}};
  }
  json::object problem{{"description", "A problem document (RFC 9457)"},
                       {"content", content_of("application/problem+json", refer("Problem"))}};
  json::object responses{{"default", std::move(problem)}};
  responses[std::to_string(route.answer.status)] = answer_of(route, schemas);
  operation["responses"] = std::move(responses);
  if (route.guard.kind == Guard::Kind::anyone) {
    operation["security"] = json::array{};
  } else if (route.guard.kind == Guard::Kind::permission) {
    operation["x-permission"] = view(to_string(route.guard.permission));
  }
  return operation;
}

constexpr std::array kProblemMembers{
    Member{"type", Kind::text, Presence::required, "\"about:blank\""},
    Member{"title", Kind::text, Presence::required, "The kind of problem"},
    Member{"status", Kind::integer, Presence::required, "As in the status line"},
    Member{"detail", Kind::text, Presence::required, "What is wrong with this request", 4096},
    Member{"field", Kind::text, Presence::optional, "The member that is wrong"}};
constexpr Shape kProblem{"Problem", kProblemMembers};

json::object security_schemes() {
  return {
      {"key", json::object{{"type", "http"}, {"scheme", "bearer"}}},
      {"session", json::object{{"type", "apiKey"}, {"in", "cookie"}, {"name", "__Host-postern"}}}};
}

}  // namespace

json::object make_openapi(std::span<const Route> routes, std::string_view version) {
  json::object schemas;
  add_schema(kProblem, Side::answer, schemas);
  json::object paths;
  for (const auto& route : routes) {
    auto& path = paths[view(route.pattern)];
    if (!path.is_object()) path = json::object{};
    path.as_object()[ascii::to_lower(to_string(route.method))] = operation_of(route, schemas);
  }
  return {{"openapi", "3.1.0"},
          {"info", json::object{{"title", "Postern"}, {"version", view(version)}}},
          {"security", json::array{json::object{{"key", json::array{}}},
                                   json::object{{"session", json::array{}}}}},
          {"paths", std::move(paths)},
          {"components",
           json::object{{"schemas", std::move(schemas)}, {"securitySchemes", security_schemes()}}}};
}

}  // namespace postern::web
