#include "smtp/queue/event_payload.hpp"

#include <algorithm>
#include <limits>

#include "message/codec.hpp"
#include "message/email_address.hpp"
#include "message/encoded_word.hpp"

namespace postern::smtp::queue {

namespace {

constexpr std::uint64_t kVersion = 1;
constexpr auto kLatest = static_cast<std::uint64_t>(
    std::chrono::sys_time<Micros>{
        std::chrono::sys_days{std::chrono::year{10'000} / std::chrono::January / 1}}
        .time_since_epoch()
        .count() -
    1);
constexpr std::uint64_t kMaxNumber = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t kMaxCode = 599;
constexpr std::uint64_t kMaxDetail = 999;  // three digits (RFC 3463 §2)

std::uint64_t clamped(std::int64_t micros) {
  return std::min(static_cast<std::uint64_t>(std::max<std::int64_t>(micros, 0)), kLatest);
}

std::string fit(std::string_view text) {
  std::string out = message::is_utf8(text) ? std::string(text) : message::repair_utf8(text);
  if (out.size() <= kMaxEventText) return out;
  auto end = kMaxEventText;
  while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xc0U) == 0x80) --end;
  out.resize(end);
  return out;
}

void encode_reply(message::Encoder& out, const Reply& reply) {
  out.number(static_cast<std::uint64_t>(std::clamp(reply.code, 0, static_cast<int>(kMaxCode))));
  const auto& code = reply.enhanced;
  for (const auto part : {code.status_class, code.subject, code.detail}) {
    out.number(std::min<std::uint64_t>(part, kMaxDetail));
  }
  out.text(fit(reply.text));
}

void encode_event(message::Encoder& out, const DeliveryEvent& event) {
  out.text(event.id.view());
  out.text(event.tenant.view());
  out.text(event.message.view());
  out.number(static_cast<std::uint64_t>(event.kind));
  out.number(static_cast<std::uint64_t>(event.bounce));
  out.number(static_cast<std::uint64_t>(event.lane));
  out.number(clamped(to_micros(event.at)));
  out.number(event.recipient);
  out.text(fit(event.address));
  out.text(fit(event.destination));
  out.text(fit(event.stream));
  out.text(fit(event.return_path));
  encode_reply(out, event.reply);
  out.text(fit(event.remote_mta));
  out.number(event.attempts);
  out.number(event.next_attempt ? clamped(to_micros(*event.next_attempt)) + 1 : 0);
  out.number(clamped(event.age.count()));
}

template <class IdType>
IdType parse_id(message::Decoder& in) {
  const auto id = uuid_from_bytes(in.text());
  if (!id || id->is_nil()) in.fail();
  return IdType{id.value_or(Uuid{})};
}

template <class Enum>
Enum parse_enum(message::Decoder& in, Enum last) {
  return static_cast<Enum>(in.number(static_cast<std::uint64_t>(last)));
}

std::string parse_text(message::Decoder& in) {
  auto text = in.text();
  if (text.size() > kMaxEventText || !message::is_utf8(text)) in.fail();
  return text;
}

Timestamp time_of(std::uint64_t micros) { return from_micros(static_cast<std::int64_t>(micros)); }

Reply parse_reply(message::Decoder& in) {
  Reply reply;
  reply.code = static_cast<int>(in.number(kMaxCode));
  if (reply.code != 0 && reply.code < 200) in.fail();
  auto& code = reply.enhanced;
  for (auto* part : {&code.status_class, &code.subject, &code.detail}) {
    *part = static_cast<std::uint16_t>(in.number(kMaxDetail));
  }
  reply.text = parse_text(in);
  return reply;
}

DeliveryEvent parse_event(message::Decoder& in) {
  DeliveryEvent event;
  event.id = parse_id<EventId>(in);
  event.tenant = parse_id<TenantId>(in);
  event.message = parse_id<MessageId>(in);
  event.kind = parse_enum(in, kLastEventKind);
  event.bounce = parse_enum(in, BounceClass::other);
  event.lane = parse_enum(in, Lane::bulk);
  event.at = time_of(in.number(kLatest));
  event.recipient = static_cast<std::uint32_t>(in.number(kMaxNumber));
  event.address = parse_text(in);
  event.destination = parse_text(in);
  event.stream = parse_text(in);
  event.return_path = parse_text(in);
  event.reply = parse_reply(in);
  event.remote_mta = parse_text(in);
  event.attempts = static_cast<std::uint32_t>(in.number(kMaxNumber));
  if (const auto next = in.number(kLatest + 1); next > 0) event.next_attempt = time_of(next - 1);
  event.age = Micros{static_cast<std::int64_t>(in.number(kLatest))};
  return event;
}

}  // namespace

std::string encode_events(std::span<const DeliveryEvent> events) {
  message::Encoder out;
  out.number(kVersion);
  out.number(events.size());
  for (const auto& event : events) encode_event(out, event);
  return out.take();
}

Result<std::vector<DeliveryEvent>> parse_events(std::string_view payload) {
  message::Decoder in(payload);
  if (in.number() != kVersion) return fail(Errc::corrupt, "not delivery events of a known version");
  const auto count = in.count(kMaxPayloadEvents);
  std::vector<DeliveryEvent> events;
  while (in.ok() && events.size() < count) events.push_back(parse_event(in));
  if (!in.ok() || count == 0 || !in.at_end()) {
    return fail(Errc::corrupt, "delivery events that are damaged");
  }
  return events;
}

}  // namespace postern::smtp::queue
