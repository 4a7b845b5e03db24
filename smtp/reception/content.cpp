#include "smtp/reception/content.hpp"

#include "message/header.hpp"

namespace postern::smtp::reception {

namespace {

// Reads the body again; `parser`, when there is one, sees what is sealed. `packing` is for a body
// that isn't staged.
Task<Result<storage::SealedBody>> seal_again(const Environment& environment, TenantId tenant,
                                             std::string header, storage::BodySourcePtr body,
                                             storage::Packing packing,
                                             message::MimeParser* parser) {
  auto key = co_await environment.directory->data_key(tenant);
  if (!key) co_return std::unexpected(key.error());
  if (parser != nullptr) parser->feed(header);
  const auto bytes = body->in_memory();
  if (bytes && header.size() + bytes->size() < storage::kStageThreshold) {
    if (parser != nullptr) parser->feed(*bytes);
    header += *bytes;
    co_return storage::seal_body(**key, ObjectId::make(), header, packing);
  }
  auto spool = environment.staging->spool(std::move(*key));
  if (auto done = co_await spool.append(header); !done) co_return std::unexpected(done.error());
  for (std::uint64_t at = 0; at < body->size();) {
    auto chunk = co_await body->read(at, storage::kBodyChunk);
    if (!chunk) co_return std::unexpected(chunk.error());
    if (chunk->empty()) co_return fail(Errc::corrupt, "a body is shorter than its size");
    if (parser != nullptr) parser->feed(*chunk);
    if (auto done = co_await spool.append(*chunk); !done) co_return std::unexpected(done.error());
    at += chunk->size();
  }
  co_return co_await spool.finish();
}

bool is_staged_for(const Content& content, TenantId tenant) {
  return content.spool && content.spool->key().tenant == tenant;
}

storage::SealedBody take_staged(Content& content, std::string_view header) {
  return std::exchange(content.spool, nullptr)->set_head(header);
}

}  // namespace

Task<Result<storage::SealedBody>> seal_message(const Environment& environment, TenantId tenant,
                                               std::string header, Content& content) {
  if (is_staged_for(content, tenant)) co_return take_staged(content, header);
  // In the queue most mail lives for seconds.
  co_return co_await seal_again(environment, tenant, std::move(header), content.body,
                                storage::Packing::none, nullptr);
}

Task<Result<IndexedMessage>> seal_indexed(const Environment& environment, TenantId tenant,
                                          std::string header, Content& content) {
  if (is_staged_for(content, tenant) && content.tree) {
    auto tree = message::with_header(std::move(*std::exchange(content.tree, {})), header);
    auto index = message::make_index(std::move(tree), header);
    co_return IndexedMessage{take_staged(content, header), std::move(index)};
  }
  message::MimeParser parser;
  auto body = co_await seal_again(environment, tenant, std::move(header), content.body,
                                  storage::Packing::zstd, &parser);
  if (!body) co_return std::unexpected(body.error());
  auto tree = parser.finish();
  co_return IndexedMessage{std::move(*body),
                           message::make_index(std::move(tree), parser.root_header())};
}

Task<Result<HeaderAndContent>> open_message(storage::BodySourcePtr whole) {
  std::string begin;
  while (begin.size() < whole->size()) {
    auto chunk = co_await whole->read(begin.size(), storage::kBodyChunk);
    if (!chunk) co_return std::unexpected(chunk.error());
    if (chunk->empty()) co_return fail(Errc::corrupt, "a body is shorter than its size");
    begin += *chunk;
    if (message::split_header(begin).header.size() < begin.size()) break;
  }
  begin.resize(message::split_header(begin).header.size());
  HeaderAndContent out;
  out.content.body = storage::source_from(std::move(whole), begin.size());
  out.header = std::move(begin);
  co_return out;
}

}  // namespace postern::smtp::reception
