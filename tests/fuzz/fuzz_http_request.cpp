// HTTP requests as they come off a socket: the same ones however the bytes are sliced.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "web/http/parser.hpp"

using namespace postern::web;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

constexpr HttpLimits kLimits{2'048, 1'024};

struct Outcome {
  std::vector<std::string> requests;
  unsigned refusal = 0;
  bool operator==(const Outcome&) const = default;
};

Outcome read(std::string_view input, std::size_t slice) {
  Outcome out;
  RequestParser parser(kLimits);
  std::string pending;
  while (out.refusal == 0) {
    std::size_t consumed = 0;
    const auto state = parser.feed(pending, consumed);
    require(consumed <= pending.size());
    pending.erase(0, consumed);
    if (state == RequestParser::State::failed) {
      out.refusal = parser.failure_status();
      require(out.refusal >= 400 && out.refusal < 600);
    } else if (state == RequestParser::State::complete) {
      const Request request = parser.take();
      require(request.body.size() <= kLimits.body_bytes);
      out.requests.push_back(std::string(to_string(request.method)) + " " + request.path + " " +
                             request.body);
    } else {
      if (input.empty()) break;
      pending += input.substr(0, slice);
      input.remove_prefix(std::min(slice, input.size()));
    }
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto whole = read(input, input.size() + 1);
  const auto bytes = read(input, 1);
  // What is wrong with a request that hasn't ended yet may show sooner or later.
  require(whole.requests == bytes.requests);
  static_cast<void>(percent_decode(input));
  return 0;
}
