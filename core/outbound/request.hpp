// An outbound request as a plain value, its bytes on the wire, and what a redirect makes of it. No
// I/O.
//
// Method, URL, headers and body may come from users. Standards: RFC 9110 §5.5, §5.6.2 (fields),
// §15.4 (redirects); RFC 9112 §3.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/outbound/options.hpp"
#include "core/outbound/url.hpp"
#include "core/result.hpp"

namespace postern {

enum class OutboundMethod : std::uint8_t { get, post, put, del };
std::string_view to_string(OutboundMethod method);

struct OutboundHeader {
  /// sensitive: for the origin in the request's URL only; a redirect elsewhere goes without it.
  /// Authorization and Cookie are, whatever this says.
  enum class Kind : std::uint8_t { ordinary, sensitive };
  std::string name;
  std::string value;
  Kind kind = Kind::ordinary;
};

/// head: status and header fields. The body isn't read, so that neither its size nor its pace
/// matters; the connection is closed before it.
enum class OutboundAnswer : std::uint8_t { whole, head };

struct OutboundRequest {
  OutboundMethod method = OutboundMethod::get;
  std::string url;
  std::vector<OutboundHeader> headers;
  std::string body;                      ///< not with GET
  std::optional<OutboundLimits> limits;  ///< else the options'
  OutboundAnswer answer = OutboundAnswer::whole;
  unsigned max_redirects = 0;  ///< 0: a redirect is an answer like any other
  /// Where the request, redirected or not, may go: host names, addresses, "*.example.com". Absent:
  /// wherever the policy lets it. Empty: nowhere.
  std::optional<std::vector<std::string>> allowed_hosts;
};

/// Where a stream of another protocol goes.
struct OutboundEndpoint {
  std::string authority;         ///< "host" or "host:port", brackets around IPv6
  std::uint16_t usual_port = 0;  ///< when the authority has none
  std::optional<OutboundLimits> limits;
  std::optional<std::vector<std::string>> allowed_hosts;  ///< as of OutboundRequest
};

namespace outbound {

inline constexpr std::size_t kMaxRequestHeaders = 64;
inline constexpr std::size_t kMaxRequestHeaderBytes = 16 * 1024;  ///< names and values together
inline constexpr std::size_t kMaxRequestBody = 8 * 1024 * 1024;

/// Errc::invalid: a header that isn't one, or that is ours to write (Host, Content-Length,
/// Connection and their like); a GET with a body. Errc::too_large: a limit above.
Result<void> check_request(const OutboundRequest& request);

/// Request line and header fields of a checked request; the body follows as it is.
std::string request_head(const OutboundRequest& request, const Url& url,
                         std::string_view user_agent);

bool is_redirect(unsigned status);  ///< 301, 302, 303, 307, 308
/// Makes `request` what goes to `to` after `from` answered with `status`.
void apply_redirect(OutboundRequest& request, unsigned status, const Url& from, const Url& to);

}  // namespace outbound
}  // namespace postern
