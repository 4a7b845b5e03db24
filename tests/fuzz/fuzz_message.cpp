// Any bytes as a message: the tree is consistent whatever the pieces, the index survives storage.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "message/dsn.hpp"
#include "message/email_address.hpp"
#include "message/encoded_word.hpp"
#include "message/index.hpp"
#include "message/transfer_encoding.hpp"

using namespace postern::message;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void check_tree(const PartTree& tree, std::size_t size) {
  require(!tree.parts.empty() && tree.size == size);
  for (const Part& part : tree.parts) {
    require(part.header_begin <= part.body_begin && part.body_begin <= part.body_end);
    require(part.body_end <= size);
    require((part.kind == Part::Kind::leaf) == part.children.empty());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Index index = make_index(bytes);
  check_tree(index.tree, size);
  const std::string stored = encode_index(index);

  const std::size_t piece = size > 0 ? data[0] % 16U + 1U : 1U;
  MimeParser parser;
  for (std::size_t at = 0; at < size; at += piece) parser.feed(bytes.substr(at, piece));
  PartTree tree = parser.finish();
  require(encode_index(make_index(std::move(tree), parser.root_header())) == stored);

  const auto back = decode_index(stored);
  require(back && encode_index(*back) == stored);
  if (const auto raw = decode_index(bytes)) require(encode_index(*raw) == bytes);
  for (const Part& part : index.tree.parts) {
    decode_parameters(part.type.parameters);
    decode_body(parse_transfer_encoding(part.encoding),
                bytes.substr(part.body_begin, part.octets()));
  }
  require(is_utf8(decode_words(bytes)));
  if (const auto address = parse_email(bytes, AddressCharset::utf8)) {
    require(parse_email(address->text(), AddressCharset::utf8) == *address);
  }
  parse_dsn(bytes);
  return 0;
}
