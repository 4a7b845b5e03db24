// A parsed HTTP request and the response to it, as plain values that handlers see.
//
// Everything in a Request is untrusted. Sizes are bounded by the parser (parser.hpp).
#pragma once

#include <boost/asio/ip/address.hpp>
#include <boost/json/value.hpp>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"

namespace postern::web {

enum class Method : std::uint8_t { get, post, put, patch, del };

std::string_view to_string(Method method);

/// HEAD is GET whose answer has no content (RFC 9110 §9.3.2).
enum class Content : std::uint8_t { sent, omitted };

/// Through which listener a request came: what it may ask for depends on it.
enum class Door : std::uint8_t { management, http, metrics, witness };

/// How the bytes came here: what a stranger on the network could have read or changed.
enum class Transport : std::uint8_t { plain, tls };

struct Peer {
  Door door = Door::http;
  Transport transport = Transport::plain;
  std::string address;    ///< IP address; empty for unix sockets
  std::uint32_t uid = 0;  ///< of the process, on the management socket
};

/// Unspecified (0.0.0.0) for unix sockets.
boost::asio::ip::address address_of(const Peer& peer);

struct Request {
  Method method = Method::get;
  Content content = Content::sent;                ///< of the answer
  std::string path;                               ///< percent-decoded per segment by the router
  std::map<std::string, std::string> query;       ///< decoded; the last of a repeated name wins
  std::map<std::string, std::string> headers;     ///< names in lower case
  std::map<std::string, std::string> parameters;  ///< from the route's {names}, decoded
  std::string body;
  boost::json::value json;  ///< the parsed body when there is one
  std::string id;           ///< request id, echoed as X-Request-Id
  Peer peer;
};

struct Response {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  /// A body with a secret in it isn't compressed: its length must not tell anything.
  enum class Secrecy : std::uint8_t { open, secret } secrecy = Secrecy::open;
};

/// 204: done, and nothing to say.
Response no_content();

/// 200 (or `status`) with a JSON body.
Response json_response(const boost::json::value& value, unsigned status = 200);
/// An RFC 9457 problem document. `field` names the member of the request that is wrong, or is
/// empty.
Response problem(unsigned status, std::string_view title, std::string_view detail,
                 std::string_view field = {});
/// The problem document for an Error: 400, 403, 404, 409, 413, 429, 503... by its code.
Response problem(const Error& error);
/// 429, with when to come again.
Response too_many_requests(std::string_view why, Micros wait);

}  // namespace postern::web
