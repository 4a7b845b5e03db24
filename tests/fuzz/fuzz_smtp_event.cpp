// Payloads of delivery events as the event mover reads them from an outbox: refused, or exactly
// what the writer makes of what was read.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "smtp/queue/event_payload.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace postern::smtp::queue;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto events = parse_events(input);
  if (!events) return 0;
  if (events->empty() || events->size() > kMaxPayloadEvents) std::abort();
  if (encode_events(*events) != input) std::abort();
  return 0;
}
