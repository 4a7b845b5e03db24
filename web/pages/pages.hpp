// The pages that mailed links lead to: sign-in, password reset, sign-up, invitation. Their files
// lie beside this one and are part of the program. A page shows nothing of anybody; its script
// posts the link's secret, which stands in the fragment and so in no log, to the API. That a button
// has to be pressed keeps programs that look at links in mail from spending them. Deliberately
// missing: what people do once they are signed in.
#pragma once

#include <string_view>

namespace postern::web {

struct Page {
  std::string_view path;  ///< of the request
  std::string_view content_type;
  std::string_view content;
};

/// nullptr: none there.
const Page* find_page(std::string_view path);

/// Own scripts and styles, requests to the API, and nothing else.
inline constexpr std::string_view kPagePolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

}  // namespace postern::web
