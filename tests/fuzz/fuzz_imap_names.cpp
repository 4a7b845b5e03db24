// Mailbox names: what decodes encodes back to itself; patterns match without blowing up.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "imap/fetch/structure.hpp"
#include "imap/search/text.hpp"
#include "imap/wire/mailbox_name.hpp"
#include "message/index.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace postern::imap;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (const auto name = decode_mailbox_name(input)) {
    const auto wire = encode_mailbox_name(*name);
    const auto again = decode_mailbox_name(wire);
    if (!again || *again != *name) std::abort();
  }
  (void)encode_mailbox_name(input);
  const auto half = size / 2;
  (void)matches_pattern(input.substr(0, half), input.substr(half));
  (void)fold_text(input);
  // The writer of structures takes whatever the message parser makes of a message.
  const auto index = postern::message::make_index(input);
  std::string out;
  append_envelope(out, index.envelope());
  append_body(out, index.tree, 0, ExtensionData::give);
  return 0;
}
