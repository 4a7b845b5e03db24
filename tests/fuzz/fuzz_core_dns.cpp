// DNS responses: the first byte picks the type asked for, the rest is the message.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/dns/message.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using postern::dns::Type;
  constexpr Type kTypes[] = {Type::a,  Type::ns,  Type::cname, Type::ptr,
                             Type::mx, Type::txt, Type::aaaa,  Type::tlsa};
  if (size == 0) return 0;
  const std::string_view wire(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto parsed =
      postern::dns::parse_response(wire, "a.test", kTypes[data[0] % std::size(kTypes)]);
  const auto& answer = parsed.answer;
  const bool filled = !answer.addresses.empty() || !answer.mx.empty() || !answer.texts.empty() ||
                      !answer.names.empty();
  if (filled && answer.status != postern::dns::Status::ok) std::abort();
  return 0;
}
