// What dresses an answer and reads a request's headers: compression, security headers, entity tags,
// cookies, times.
#include <zlib.h>
#include <zstd.h>

#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>
#include <sstream>

#include "web/access/cookies.hpp"
#include "web/api/timestamp.hpp"
#include "web/http/compression.hpp"
#include "web/http/entity_tag.hpp"
#include "web/http/security_headers.hpp"

using namespace postern;
using namespace postern::web;
using namespace std::chrono_literals;

namespace {

using Texts = std::vector<std::string>;

Response answer(std::size_t size) {
  Response response;
  while (response.body.size() < size) response.body += "All work and no play. ";
  response.body.resize(size);
  return response;
}
std::vector<std::string> headers_of(const Response& response, std::string_view name) {
  std::vector<std::string> values;
  for (const auto& [have, value] : response.headers) {
    if (have == name) values.push_back(value);
  }
  return values;
}
std::string header_of(const Response& response, std::string_view name) {
  const auto values = headers_of(response, name);
  return values.size() == 1 ? values.front() : values.empty() ? "" : "(repeated)";
}

AcceptedEncodings accepted(const std::string& header) {
  Request request;
  request.headers["accept-encoding"] = header;
  return accepted_encodings(request);
}

std::string gunzip(std::string packed, std::size_t size) {
  z_stream stream{};
  constexpr int kGzipOnly = 15 + 16;
  REQUIRE(inflateInit2(&stream, kGzipOnly) == Z_OK);
  std::string out(size + 1, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  CHECK(inflate(&stream, Z_FINISH) == Z_STREAM_END);
  CHECK(stream.avail_in == 0);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}
std::string unzstd(const std::string& packed, std::size_t size) {
  std::string out(size + 1, '\0');
  const auto got = ZSTD_decompress(out.data(), out.size(), packed.data(), packed.size());
  REQUIRE_FALSE(ZSTD_isError(got));
  out.resize(got);
  return out;
}

Request with_cookies(Transport transport, const std::string& cookies,
                     const std::string& csrf = "") {
  Request request;
  request.peer.transport = transport;
  if (!cookies.empty()) request.headers["cookie"] = cookies;
  if (!csrf.empty()) request.headers["x-csrf-token"] = csrf;
  return request;
}

// HMAC-SHA-256 of "csrf" under the session's token, by Python's hmac module.
const std::string kCsrfOfOne = "-TJVQrLLJcVHG9kWgTQDKtMvIZapdqIDnvXsLlVTK8A";
const std::string kCsrfOfTwo = "v43RG_HqycU6Pwsgs-zrRfGiqv8EvaagyTXH9uqAn_A";

}  // namespace

TEST_CASE("accept_encoding_is_read_with_its_weights") {
  struct Row {
    std::string header;
    bool gzip;
    bool zstd;
  };
  const std::vector<Row> rows{{"", false, false},
                              {"gzip", true, false},
                              {"GZIP, zstd", true, true},
                              {"x-gzip", true, false},
                              {"br;q=1.0, gzip;q=0.8, *;q=0.1", true, false},
                              {"gzip;q=0", false, false},
                              {"gzip; q=0.000, zstd ;q=0.001", false, true},
                              {"gzip;Q=0", false, false},  // RFC 9110 §12.4.2, RFC 5234 §2.3
                              {"gzipped, zstd1, identity", false, false},
                              {",, gzip ,", true, false}};
  for (const auto& row : rows) {
    INFO(row.header);
    CHECK(accepted(row.header).gzip == row.gzip);
    CHECK(accepted(row.header).zstd == row.zstd);
  }
  CHECK_FALSE(accepted_encodings(Request{}).gzip);
}

TEST_CASE("compressed_answers_are_read_by_zlib_and_zstd") {
  const auto plain = answer(5000);
  auto response = plain;
  compress(response, {.gzip = true, .zstd = false});
  CHECK(header_of(response, "Content-Encoding") == "gzip");
  CHECK(header_of(response, "Vary") == "Accept-Encoding");
  CHECK(response.body.size() < 1000);
  CHECK(gunzip(response.body, plain.body.size()) == plain.body);

  response = plain;
  compress(response, {.gzip = true, .zstd = true});
  CHECK(header_of(response, "Content-Encoding") == "zstd");
  CHECK(unzstd(response.body, plain.body.size()) == plain.body);

  response = plain;
  compress(response, {});
  CHECK(header_of(response, "Vary") == "Accept-Encoding");  // caches have to know all the same
  CHECK(response.body == plain.body);
}

TEST_CASE("secrets_cookies_and_what_gains_nothing_are_left_alone") {
  const auto unchanged = [](Response response) {
    const auto before = response.body;
    compress(response, {.gzip = true, .zstd = true});
    return response.body == before && header_of(response, "Content-Encoding").empty();
  };
  CHECK(unchanged(answer(1023)));
  CHECK_FALSE(unchanged(answer(1024)));
  auto response = answer(5000);
  response.secrecy = Response::Secrecy::secret;
  CHECK(unchanged(response));
  response = answer(5000);
  response.headers.emplace_back("set-cookie", "a=b");
  CHECK(unchanged(response));
  response = answer(5000);
  response.content_type = "image/png";
  CHECK(unchanged(response));
  response = answer(5000);
  response.content_type = "application/problem+json";
  CHECK_FALSE(unchanged(response));
}

TEST_CASE("security_headers_are_added_and_never_overrule") {
  Response plain;
  add_security_headers(plain, Transport::plain);
  CHECK(header_of(plain, "Content-Security-Policy").starts_with("default-src 'none'"));
  CHECK(header_of(plain, "X-Content-Type-Options") == "nosniff");
  CHECK(header_of(plain, "X-Frame-Options") == "DENY");
  CHECK(header_of(plain, "Referrer-Policy") == "no-referrer");
  CHECK(header_of(plain, "Cache-Control") == "no-store");
  CHECK(header_of(plain, "Strict-Transport-Security").empty());  // RFC 6797 §7.2

  Response own;
  own.headers = {{"cache-control", "public"}, {"Content-Security-Policy", "default-src 'self'"}};
  add_security_headers(own, Transport::tls);
  CHECK(header_of(own, "Cache-Control").empty());
  CHECK(header_of(own, "Content-Security-Policy") == "default-src 'self'");
  CHECK(header_of(own, "Strict-Transport-Security").starts_with("max-age=63072000"));
  add_security_headers(own, Transport::tls);
  CHECK(header_of(own, "X-Frame-Options") == "DENY");
}

TEST_CASE("entity_tag_of_an_answer_is_that_of_what_it_shows") {
  const boost::json::value shown = boost::json::parse(R"({"a":1})");
  const auto tag = entity_tag(shown);
  CHECK(tag == "\"AVq9f1zFei3ZS3WQ\"");  // SHA-256, by Python's hashlib
  CHECK(header_of(with_entity_tag(json_response(shown)), "ETag") == tag);
  CHECK(entity_tag(boost::json::parse(R"({"a":2})")) != tag);
  CHECK(precondition_failed().status == 412);
}

TEST_CASE("if_match_is_compared_strongly") {
  const boost::json::value shown = boost::json::parse(R"({"a":1})");
  const auto tag = entity_tag(shown);
  for (const auto& good : Texts{"", "*", " * ", tag, " " + tag, "\"x\", " + tag, tag + ",\"x\"",
                                "W/\"x\" ," + tag + " "}) {
    INFO(good);
    CHECK(entity_tag_matches(good, shown));
  }
  const auto bare = tag.substr(1, tag.size() - 2);
  for (const auto& bad :
       Texts{"\"x\"", "W/" + tag, bare, ",", "\"x\", \"y\"", tag + "x", "\"*\"", "*, \"x\""}) {
    INFO(bad);
    CHECK_FALSE(entity_tag_matches(bad, shown));
  }
  CHECK_FALSE(entity_tag_matches(tag, boost::json::parse(R"({"a":2})")));
}

TEST_CASE("session_cookies_are_named_by_the_transport") {
  Response response;
  set_session_cookies(response, Transport::tls, "token-one");
  CHECK(headers_of(response, "Set-Cookie") ==
        Texts{"__Host-postern=token-one; Path=/; SameSite=Strict; Secure; HttpOnly",
              "__Host-postern-csrf=" + kCsrfOfOne + "; Path=/; SameSite=Strict; Secure"});
  response = {};
  set_session_cookies(response, Transport::plain, "token-one");
  CHECK(headers_of(response, "Set-Cookie") ==
        Texts{"postern=token-one; Path=/; SameSite=Strict; HttpOnly",
              "postern-csrf=" + kCsrfOfOne + "; Path=/; SameSite=Strict"});
  response = {};
  clear_session_cookies(response, Transport::tls);
  const auto cleared = headers_of(response, "Set-Cookie");
  REQUIRE(cleared.size() == 2);
  CHECK(cleared[0].starts_with("__Host-postern=; "));
  CHECK(cleared[1].starts_with("__Host-postern-csrf=; "));
  for (const auto& cookie : cleared) CHECK(cookie.ends_with("; Max-Age=0"));
}

TEST_CASE("session_token_is_taken_from_its_own_cookie_alone") {
  const auto plain = [](const std::string& cookies) {
    return session_token(with_cookies(Transport::plain, cookies));
  };
  const auto tls = [](const std::string& cookies) {
    return session_token(with_cookies(Transport::tls, cookies));
  };
  CHECK(plain("") == "");
  CHECK(plain("a=b; postern=t; c=d") == "t");
  CHECK(plain("a=b;postern=x=y") == "x=y");
  CHECK(plain("Postern=t; xpostern=t; postern-csrf=t; postern") == "");
  CHECK(plain("__Host-postern=t") == "");
  CHECK(tls("__Host-postern=t") == "t");
  CHECK(tls("postern=t") == "");  // anybody on a neighbouring host could have set it
}

TEST_CASE("csrf_token_has_to_come_twice_and_belong_to_the_session") {
  CHECK(csrf_token("token-one") == kCsrfOfOne);
  const auto holds = [](const std::string& cookie, const std::string& header) {
    const auto cookies =
        "__Host-postern=token-one" + (cookie.empty() ? "" : "; __Host-postern-csrf=" + cookie);
    return csrf_holds(with_cookies(Transport::tls, cookies, header), "token-one");
  };
  CHECK(holds(kCsrfOfOne, kCsrfOfOne));
  CHECK_FALSE(holds("", kCsrfOfOne));
  CHECK_FALSE(holds(kCsrfOfOne, ""));
  CHECK_FALSE(holds("", ""));
  CHECK_FALSE(holds(kCsrfOfTwo, kCsrfOfTwo));
  CHECK_FALSE(holds(kCsrfOfTwo, kCsrfOfOne));
  CHECK_FALSE(holds(kCsrfOfOne, kCsrfOfTwo));
  CHECK_FALSE(holds("constant", "constant"));
  CHECK_FALSE(holds("token-one", "token-one"));
  CHECK_FALSE(csrf_holds(with_cookies(Transport::tls, "postern-csrf=" + kCsrfOfOne, kCsrfOfOne),
                         "token-one"));
}

TEST_CASE("times_are_rfc_3339_in_utc") {
  const auto at = [](std::int64_t seconds, std::int64_t micros = 0) {
    return from_micros(seconds * 1'000'000 + micros);
  };
  const std::vector<std::pair<std::string, Timestamp>> good{
      // seconds by Python's datetime
      {"1970-01-01T00:00:00Z", at(0)},
      {"2024-02-29T23:59:59Z", at(1709251199)},
      {"2026-01-31T12:00:00.5Z", at(1769860800, 500'000)},
      {"2026-01-31T12:00:00.000001Z", at(1769860800, 1)},
      {"9999-12-31T23:59:59.999999Z", at(253402300799, 999'999)}};
  for (const auto& [text, time] : good) {
    INFO(text);
    const auto parsed = parse_timestamp(text);
    REQUIRE(parsed);
    CHECK(*parsed == time);
    CHECK(parse_timestamp(timestamp_text(time)) == time);
  }
  CHECK(timestamp_text(at(1769860800, 1)) == "2026-01-31T12:00:00.000001Z");
  std::istringstream bad(
      "2026-01-31 2026-01-31T12:00:00 2026-01-31T12:00Z 2026-01-31t12:00:00Z "
      "2026-01-31T12:00:00z 2026-01-31T12:00:00+00:00 2026-01-31T12:00:00.Z "
      "2026-01-31T12:00:00.0000000Z 2026-01-31T12:00:00,5Z 2026-01-31T12:00:00.-5Z "
      "2026-01-31T12:00:00ZZ 2026-1-31T12:00:00Z 2026-00-10T12:00:00Z 2026-13-10T12:00:00Z "
      "2026-01-00T12:00:00Z 2026-01-32T12:00:00Z 2026-02-29T12:00:00Z 2100-02-29T12:00:00Z "
      "2026-04-31T12:00:00Z 2026-01-31T24:00:00Z 2026-01-31T12:60:00Z 2026-12-31T23:59:60Z "
      "1969-12-31T23:59:59Z +026-01-31T12:00:00Z");
  std::vector<std::string> refused{"", "Z", "2026-01-31 12:00:00Z", " 2026-01-31T12:00:00Z"};
  for (std::string text; bad >> text;) refused.push_back(text);
  for (const auto& text : refused) {
    INFO(text);
    CHECK_FALSE(parse_timestamp(text));
  }
}
