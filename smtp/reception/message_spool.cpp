#include "smtp/reception/message_spool.hpp"

#include "message/email_address.hpp"
#include "message/header.hpp"
#include "smtp/reception/recipient_address.hpp"

namespace postern::smtp::reception {

namespace {

constexpr std::string_view kHeaderEnd = "\r\n\r\n";
// Acceptance holds a small message in up to this many forms at a time: as it came, with its new
// header, whole for sealing, sealed.
constexpr std::size_t kForms = 4;

std::unexpected<Error> no_room() {
  return fail(Errc::overloaded, "the memory for messages is in use");
}

}  // namespace

MessageSpool::MessageSpool(const Environment& environment, const SessionInfo& session,
                           const Envelope& envelope)
    : environment_(environment),
      session_(session),
      envelope_(envelope),
      reserved_(environment.budget) {}

Task<Result<void>> MessageSpool::append(std::string_view bytes) {
  if (spool_) co_return co_await stage(bytes);
  if (auto kept = keep(bytes); !kept) co_return kept;
  if (bytes_.size() > storage::kStageThreshold && header_size_ > 0) {
    co_return co_await begin_staging();
  }
  co_return Result<void>{};
}

Result<void> MessageSpool::keep(std::string_view bytes) {
  const std::size_t size = bytes_.size() + bytes.size();
  if (size > bytes_.capacity()) {
    // Twice what it holds: growing a string keeps old and new for a moment.
    const std::size_t capacity = std::max(size, 2 * bytes_.capacity());
    if (!reserved_.grow_to(capacity + bytes_.capacity())) return no_room();
    bytes_.reserve(capacity);
  }
  bytes_ += bytes;
  if (header_size_ > 0) return {};
  if (bytes_.starts_with("\r\n")) {
    header_size_ = 2;
  } else if (const auto end = bytes_.find(kHeaderEnd, searched_); end != std::string::npos) {
    header_size_ = end + kHeaderEnd.size();
  }
  searched_ = bytes_.size() - std::min(bytes_.size(), kHeaderEnd.size() - 1);
  return {};
}

Task<Result<TenantId>> MessageSpool::find_owner() {
  if (session_.identity) co_return session_.identity->tenant;
  auto whose = co_await find_recipient(environment_, envelope_.recipients.front().path);
  if (!whose) co_return std::unexpected(whose.error());
  co_return whose->resolution->tenant;
}

Task<Result<void>> MessageSpool::begin_staging() {
  auto owner = co_await find_owner();
  if (!owner) co_return std::unexpected(owner.error());
  auto key = co_await environment_.directory->data_key(*owner);
  if (!key) co_return std::unexpected(key.error());
  key_ = std::move(*key);
  spool_ = std::make_shared<storage::BodySpool>(
      environment_.staging->spool(key_, storage::BodyWriter::Head::later));
  const std::string body = bytes_.substr(header_size_);
  bytes_ = std::string(bytes_, 0, header_size_);
  parser_.feed(bytes_);
  auto staged = co_await stage(body);
  // From here on only the header, and what waits for its turn to be sealed.
  reserved_ = ByteBudget::Reservation(environment_.budget);
  if (!reserved_.grow_to(kForms * bytes_.size() + 2 * storage::kStageThreshold)) {
    co_return no_room();
  }
  co_return staged;
}

Task<Result<void>> MessageSpool::stage(std::string_view bytes) {
  parser_.feed(bytes);
  if (session_.identity) hash_.feed(bytes);
  ascii_ = ascii_ && message::is_ascii(bytes);
  return spool_->append(bytes);
}

Result<ReceivedMessage> MessageSpool::finish_small() {
  if (!reserved_.grow_to(kForms * bytes_.size())) return no_room();
  const auto split = message::split_header(bytes_);
  ReceivedMessage out;
  out.header = split.header;
  if (session_.identity) out.body_hash = dkim::body_hash(split.body);
  out.content.ascii = message::is_ascii(split.body);
  const auto begin = split.header.size();
  out.content.body = storage::source_from(storage::plain_source(std::move(bytes_)), begin);
  bytes_ = std::string();
  return out;
}

Task<Result<ReceivedMessage>> MessageSpool::finish() {
  if (!spool_) co_return finish_small();
  auto sealed = co_await spool_->finish();
  if (!sealed) co_return std::unexpected(sealed.error());
  ReceivedMessage out;
  out.header = std::move(bytes_);
  if (session_.identity) out.body_hash = hash_.finish();
  out.content.ascii = ascii_;
  out.content.body =
      storage::sealed_source(key_, std::make_shared<const storage::SealedBody>(std::move(*sealed)));
  out.content.spool = std::move(spool_);
  out.content.tree = parser_.finish();
  co_return out;
}

}  // namespace postern::smtp::reception
