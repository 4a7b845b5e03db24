// /v1/audit/stream: where a tenant's audit trail is streamed to; /v1/platform/audit/stream: where
// the platform's is.
#include "accounts/audit/stream/destination.hpp"
#include "accounts/audit/stream/stream.hpp"
#include "accounts/outbound_hosts.hpp"
#include "core/crypto.hpp"
#include "web/api/handlers.hpp"
#include "web/api/support.hpp"

namespace postern::web::api {

namespace json = boost::json;
namespace audit = accounts::audit;

namespace {

struct View {
  audit::TrailStream stream;
  std::uint64_t waiting = 0;
};

Result<View> view_of(sql::TenantScope& scope, Result<audit::TrailStream> stream) {
  if (!stream) return std::unexpected(stream.error());
  const auto waiting = audit::backlog_of(scope, *stream);
  return View{std::move(*stream), waiting};
}

std::string_view state_of(const View& view) {
  if (view.stream.failing_since) return "failing";
  return view.waiting > 0 ? "waiting" : "ok";
}

json::object to_json(const View& view) {
  const auto& stream = view.stream;
  json::object out{{"destination", stream.origin},  {"state", state_of(view)},
                   {"last", stream.cursor},         {"waiting", view.waiting},
                   {"delivered", stream.delivered}, {"skipped", stream.skipped},
                   {"failures", stream.failures},   {"changed_at", timestamp_text(stream.changed)}};
  if (stream.delivered_at) out["delivered_at"] = timestamp_text(*stream.delivered_at);
  if (stream.failing_since) out["failing_since"] = timestamp_text(*stream.failing_since);
  if (stream.retry_at) out["retry_at"] = timestamp_text(*stream.retry_at);
  if (!stream.last_error.empty()) out["last_error"] = stream.last_error;
  return out;
}

Task<Response> show(Call& call, Tables tables) {
  auto found = co_await call.read<View>(
      [tables, tenant = call.query("tenant")](accounts::Reach& reach) -> Result<View> {
        auto scope = tables(reach, tenant);
        if (!scope) return std::unexpected(scope.error());
        return view_of(*scope, audit::find_stream(*scope));
      });
  if (!found) co_return problem(found.error());
  co_return json_response(to_json(*found));
}

/// Whose chain it is, by id, and where its requests may go.
struct Owner {
  TenantId chain;
  std::optional<std::vector<std::string>> allowed_hosts;
};

Task<Result<Owner>> owner_of(Call& call, Tables tables) {
  co_return co_await call.read<Owner>(
      [tables, tenant = call.query("tenant")](accounts::Reach& reach) -> Result<Owner> {
        auto scope = tables(reach, tenant);
        if (!scope) return std::unexpected(scope.error());
        return Owner{scope->tenant(), accounts::find_outbound_hosts(*scope)};
      });
}

/// What is asked for, or the problem with it.
std::expected<audit::Destination, Response> destination_asked(const Call& call,
                                                              const Owner& owner) {
  auto destination = audit::parse_destination(call.text("url"));
  if (!destination) return std::unexpected(bad_member("url", destination.error()));
  const auto allowed =
      audit::check_destination(*call.services.outbound(), *destination, owner.allowed_hosts);
  if (!allowed) return std::unexpected(bad_member("url", allowed.error()));
  if (!call.given("secret")) return *destination;
  destination->secret = call.text("secret");
  auto good = audit::check_stream_secret(destination->secret);
  if (good && destination->transport == audit::Transport::syslog) {
    good = fail(Errc::invalid, "syslog has no place for a secret");
  }
  if (!good) return std::unexpected(bad_member("secret", good.error()));
  return *destination;
}

Result<audit::NewStream> sealed_stream(Call& call, TenantId chain, audit::Destination destination) {
  audit::NewStream fresh;
  fresh.origin = destination.origin;
  auto sealed = audit::seal_destination(call.services.keystore->master(),
                                        audit::stream_context(chain, fresh.revision), destination);
  crypto::wipe(destination.secret);
  if (!sealed) return std::unexpected(sealed.error());
  fresh.sealed = std::move(*sealed);
  if (const auto after = call.integer("after")) fresh.after = static_cast<std::uint64_t>(*after);
  fresh.now = call.now();
  return fresh;
}

Task<Response> set(Call& call, Tables tables) {
  const auto owner = co_await owner_of(call, tables);
  if (!owner) co_return problem(owner.error());
  auto destination = destination_asked(call, *owner);
  if (!destination) co_return destination.error();
  const auto fresh = sealed_stream(call, owner->chain, std::move(*destination));
  if (!fresh) co_return problem(fresh.error());
  auto made =
      co_await call.change<View>([fresh = *fresh, tables, tenant = call.query("tenant"),
                                  chain = owner->chain](accounts::Reach& reach) -> Result<View> {
        auto scope = tables(reach, tenant);
        if (!scope) return std::unexpected(scope.error());
        // The name went to another tenant meanwhile, for which nothing was sealed.
        if (scope->tenant() != chain) return fail(Errc::not_found, "no such tenant");
        return view_of(*scope, audit::set_stream(*scope, fresh));
      });
  if (!made) co_return problem(made.error());
  co_return json_response(to_json(*made));
}

Task<Response> remove(Call& call, Tables tables) {
  auto removed = co_await call.change<void>(
      [tables, tenant = call.query("tenant")](accounts::Reach& reach) -> Result<void> {
        auto scope = tables(reach, tenant);
        if (!scope) return std::unexpected(scope.error());
        return audit::remove_stream(*scope);
      });
  if (!removed) co_return problem(removed.error());
  co_return no_content();
}

}  // namespace

Task<Response> show_audit_stream(Call& call) { co_return co_await show(call, of_tenant); }
Task<Response> set_audit_stream(Call& call) { co_return co_await set(call, of_tenant); }
Task<Response> remove_audit_stream(Call& call) { co_return co_await remove(call, of_tenant); }
Task<Response> show_platform_stream(Call& call) {
  co_return co_await show(call, of_platform_trail);
}
Task<Response> set_platform_stream(Call& call) { co_return co_await set(call, of_platform_trail); }
Task<Response> remove_platform_stream(Call& call) {
  co_return co_await remove(call, of_platform_trail);
}

}  // namespace postern::web::api
