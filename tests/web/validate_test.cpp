#include "web/api/table/validate.hpp"

#include <array>
#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>

using namespace postern::web;

namespace {

using enum Presence;
constexpr std::array<std::string_view, 2> kColours{"red", "green"};

constexpr std::array kInner{Member{"inner", Kind::text, required, "", 3}};
constexpr Shape kInnerShape{"Inner", kInner};
constexpr std::array kMembers{
    Member{"name", Kind::text, required, "", 4},
    Member{"note", Kind::text, optional, "", 4},
    Member{"colour", Kind::text, optional, "", 16, kColours},
    Member{"count", Kind::integer, optional, "", 10},
    Member{"loud", Kind::flag, optional, ""},
    Member{"at", Kind::time, optional, ""},
    Member{"names", Kind::texts, optional, "", 3, {}, nullptr, 2},
    Member{"nested", Kind::object, optional, "", 0, {}, &kInnerShape},
    Member{"free", Kind::object, optional, ""},
    Member{"ratio", Kind::number, optional, ""},
    Member{"things", Kind::objects, optional, "", 0, {}, &kInnerShape},
};
constexpr Shape kShape{"Thing", kMembers};
constexpr std::array kListed{Member{"names", Kind::texts, required, ""}};
constexpr Shape kListShape{"Listed", kListed};
constexpr std::array kQuery{Member{"of", Kind::text, required, "", 4},
                            Member{"limit", Kind::integer, optional, "", 10}};

Route route_of(const Shape* body) {
  return {.method = Method::post,
          .pattern = "/",
          .name = "thing.make",
          .guard = kAnyone,
          .summary = "Make",
          .handler = nullptr,
          .body = body};
}

// "": taken; else the member that is named, or "-" when the problem names none.
std::string refusal(const Route& route, Request request) {
  const auto refused = validate(route, request);
  if (!refused) return "";
  INFO(refused->body);
  CHECK(refused->content_type == "application/problem+json");
  const auto told = boost::json::parse(refused->body).as_object();
  CHECK(told.at("status").as_int64() == refused->status);  // RFC 9457 §3.1.2
  CHECK(told.at("type").as_string() == "about:blank");
  CHECK_FALSE(told.at("title").as_string().empty());
  CHECK_FALSE(told.at("detail").as_string().empty());
  const auto* field = told.if_contains("field");
  CHECK(refused->status == 400);
  return field == nullptr ? "-" : std::string(field->as_string().c_str());
}
std::string refusal(const Shape* shape, const std::string& body) {
  Request request;
  request.body = body;
  return refusal(route_of(shape), std::move(request));
}
/// Of one more member beside the required one.
std::string with(const std::string& member) {
  return refusal(&kShape, R"({"name":"a",)" + member + "}");
}
std::string with_query(std::map<std::string, std::string> query) {
  Route route = route_of(nullptr);
  route.query = kQuery;
  Request request;
  request.query = std::move(query);
  return refusal(route, std::move(request));
}

/// An object in objects, `depth` of them.
std::string nested(std::size_t depth) {
  std::string text;
  for (std::size_t i = 0; i < depth; ++i) text += R"({"free":)";
  return text + "1" + std::string(depth, '}');
}

}  // namespace

TEST_CASE("each_kind_of_member_takes_its_own_values_alone") {
  struct Row {
    std::string member;
    std::vector<std::string> taken;
    std::vector<std::string> refused;
  };
  const std::vector<Row> rows{
      {"note",
       {R"("")", R"("abcd")", "null"},
       {R"("abcde")", "1", "true", "[]", "{}", R"("a\u0000")"}},
      {"colour", {R"("red")", R"("green")"}, {R"("blue")", R"("Red")", R"("")"}},
      {"count",
       {"0", "9", "10", "null"},
       {"11", "-1", "1.0", "1e1", "18446744073709551615", R"("1")", "true"}},
      {"loud", {"true", "false", "null"}, {"0", R"("true")", "[]"}},
      {"at", {R"("2026-01-31T12:00:00Z")", "null"}, {R"("2026-02-30T12:00:00Z")", R"("")", "0"}},
      {"names",
       {"[]", R"(["abc"])", R"(["a","b"])"},
       {R"(["a","b","c"])", R"(["abcd"])", R"(["a",1])", R"("a")", "{}"}},
      {"nested", {R"({"inner":"abc"})", "null"}, {"1", "[]"}},
      {"free", {"{}", R"({"what":["ever"]})"}, {"[]", R"("")"}},
      {"ratio", {}, {"1", "1.5"}},
      {"things", {}, {"[]", R"([{"inner":"a"}])"}},
  };
  for (const auto& row : rows) {
    for (const auto& value : row.taken) {
      INFO(row.member << " " << value);
      CHECK(with("\"" + row.member + "\":" + value) == "");
    }
    for (const auto& value : row.refused) {
      INFO(row.member << " " << value);
      CHECK(with("\"" + row.member + "\":" + value) == row.member);
    }
  }
}

TEST_CASE("required_members_are_there_and_not_empty") {
  CHECK(refusal(&kShape, R"({"name":"a"})") == "");
  CHECK(refusal(&kShape, R"({"name":"abcd"})") == "");
  for (const auto* body : {"", "{}", R"({"name":""})", R"({"name":null})", R"({"name":"abcde"})"}) {
    INFO(body);
    CHECK(refusal(&kShape, body) == "name");
  }
  CHECK(refusal(&kListShape, R"({"names":["a"]})") == "");
  for (const auto* body : {"{}", R"({"names":[]})", R"({"names":[""]})", R"({"names":null})"}) {
    INFO(body);
    CHECK(refusal(&kListShape, body) == "names");
  }
}

TEST_CASE("members_of_an_object_are_checked_like_their_own") {
  CHECK(with(R"("nested":{})") == "inner");
  CHECK(with(R"("nested":{"inner":"abcd"})") == "inner");
  CHECK(with(R"("nested":{"inner":"a","x":1})") == "x");
}

TEST_CASE("unknown_members_are_refused_by_name") {
  CHECK(with(R"("extra":1)") == "extra");
  CHECK(with(R"("extra":null)") == "extra");
  CHECK(with(R"("Note":"a")") == "Note");
  CHECK(refusal(nullptr, R"({"name":"a"})") == "name");
  CHECK(refusal(nullptr, "{}") == "");
  CHECK(refusal(nullptr, "") == "");
}

TEST_CASE("body_that_is_no_json_object_is_refused") {
  for (const auto* body : {"nonsense", "[1]", "\"text\"", "null", "{\"a\":", "{} {}", "{'a':1}",
                           "{\"name\":\"\xff\"}", "{\"name\":\"a\",}"}) {
    INFO(body);
    CHECK(refusal(&kShape, body) == "-");
  }
}

TEST_CASE("body_nested_too_deep_is_refused_before_it_is_built") {
  const auto in_shape = [](std::size_t depth) { return with(R"("free":)" + nested(depth - 1)); };
  CHECK(in_shape(15) == "");
  CHECK(in_shape(16) == "");
  CHECK(in_shape(17) == "-");
  const std::string bomb = std::string(20'000, '[') + std::string(20'000, ']');
  CHECK(with(R"("free":)" + bomb) == "-");
}

TEST_CASE("body_beyond_the_routes_octets_is_413") {
  Route route = route_of(&kShape);
  const std::string body = R"({"name":"a"})";
  for (const auto& [limit, status] :
       {std::pair{body.size() + 1, 0U}, {body.size(), 0U}, {body.size() - 1, 413U}}) {
    route.body_bytes = limit;
    Request request;
    request.body = body;
    const auto refused = validate(route, request);
    CHECK((refused ? refused->status : 0U) == status);
  }
}

TEST_CASE("query_members_are_checked_like_a_bodys") {
  CHECK(with_query({{"of", "a"}}) == "");
  CHECK(with_query({{"of", "abcd"}, {"limit", "10"}}) == "");
  CHECK(with_query({}) == "of");
  CHECK(with_query({{"of", ""}}) == "of");
  CHECK(with_query({{"of", "abcde"}}) == "of");
  CHECK(with_query({{"of", "a"}, {"other", "b"}}) == "other");
  for (const auto* wrong : {"11", "-1", "", "x", "1x", " 1", "+1", "1.0", "99999999999999999999"}) {
    INFO(wrong);
    CHECK(with_query({{"of", "a"}, {"limit", wrong}}) == "limit");
  }
}

TEST_CASE("valid_body_is_there_for_the_handler") {
  Request request;
  request.body = R"({"name":"a","name":"b"})";  // RFC 8259 §4 leaves it open: the last one counts
  CHECK_FALSE(validate(route_of(&kShape), request));
  CHECK(request.json.at("name").as_string() == "b");
}

TEST_CASE("what_a_request_names_is_readable_or_refused") {
  struct Row {
    std::string text;
    bool readable;
  };
  const std::vector<Row> rows{
      {"plain", true},
      {"gr\xc3\xbc\xc3\x9f", true},  // U+00FC U+00DF
      {"\xc2\xa0", true},            // U+00A0, the first after C1
      {"\xf4\x8f\xbf\xbf", true},    // U+10FFFF
      {"\x7e", true},
      {"\x80", false},  // a continuation alone
      {"\xff", false},
      {"gr\xc3", false},            // cut
      {"\xc0\xaf", false},          // overlong "/" (RFC 3629 §3)
      {"\xe0\x80\xaf", false},      // overlong
      {"\xed\xa0\x80", false},      // a surrogate
      {"\xf4\x90\x80\x80", false},  // above U+10FFFF
      {"a\nb", false},
      {"\x1f", false},
      {"\x7f", false},
      {"\xc2\x80", false},  // the first of C1
      {"\xc2\x9f", false},  // the last
  };
  for (const auto& [text, readable] : rows) {
    INFO(text << " " << readable);
    std::vector<Request> requests(4);
    requests[0].parameters["domain"] = text;
    requests[1].query[text] = "x";
    requests[2].query["x"] = text;
    requests[3].headers["postern-tenant"] = text;
    for (const auto& request : requests) {
      const auto refused = refuse_unreadable(request);
      CHECK(refused.has_value() != readable);
      if (!refused) continue;
      CHECK(refused->status == 400);
      CHECK(refused->body.find(text) == std::string::npos);
    }
  }
}

TEST_CASE("tenant_header_has_a_length") {
  Request request;
  request.headers["postern-tenant"] = std::string(255, 'a');
  CHECK_FALSE(refuse_unreadable(request));
  request.headers["postern-tenant"] += 'a';
  const auto refused = refuse_unreadable(request);
  REQUIRE(refused);
  CHECK(refused->body.size() < 200);
}

TEST_CASE("long_unknown_name_is_not_repeated") {
  const auto route = route_of(&kShape);
  for (const std::size_t size : {100UL, 101UL}) {
    Request request;
    const std::string name(size, 'n');
    request.query[name] = "1";
    const auto refused = validate(route, request);
    REQUIRE(refused);
    CHECK((refused->body.find(name) != std::string::npos) == (size <= 100));
    Request second;
    second.body = "{\"" + name + "\":1}";
    const auto other = validate(route, second);
    REQUIRE(other);
    CHECK((other->body.find(name) != std::string::npos) == (size <= 100));
  }
}
