// Content codings for answers (RFC 9110 §8.4.1): gzip (RFC 1952) and zstd (RFC 8878).
#pragma once

#include "web/http/message.hpp"

namespace postern::web {

/// What a request's Accept-Encoding allows (RFC 9110 §12.5.3).
struct AcceptedEncodings {
  bool gzip = false;
  bool zstd = false;
};
AcceptedEncodings accepted_encodings(const Request& request);

/// Compresses a text of some length in place and says so; zstd where both are allowed. Left alone:
/// short bodies, media that don't compress, and answers that hold a secret or set a cookie (a
/// length that depends on a secret tells about it).
void compress(Response& response, AcceptedEncodings accepted);

}  // namespace postern::web
