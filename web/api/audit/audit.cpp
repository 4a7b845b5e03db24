// /v1/audit: a tenant's audit trail; /v1/platform/audit: the platform's.
#include <boost/json/serialize.hpp>

#include "accounts/audit/export.hpp"
#include "accounts/audit/query.hpp"
#include "accounts/audit/verify.hpp"
#include "accounts/audit/witness.hpp"
#include "web/api/audit/audit_json.hpp"
#include "web/api/audit/heads_json.hpp"
#include "web/api/handlers.hpp"
#include "web/api/json_lists.hpp"
#include "web/api/support.hpp"

namespace postern::web::api {

namespace json = boost::json;
namespace audit = accounts::audit;

namespace {

constexpr std::size_t kAtOnce = 100;       // records of a page
constexpr std::size_t kExported = 10'000;  // records of an export's page

struct Asked {
  audit::Filter filter;
  std::optional<std::uint64_t> before;
  std::size_t limit = kAtOnce;
};

std::optional<Asked> asked(const Call& call) {
  Asked asked;
  asked.filter.action = call.query("action");
  asked.filter.actor = call.query("actor");
  asked.filter.target = call.query("target");
  asked.filter.from = parse_timestamp(call.query("from"));
  asked.filter.to = parse_timestamp(call.query("to"));
  if (!call.query("from").empty() && !asked.filter.from) return std::nullopt;
  if (!call.query("to").empty() && !asked.filter.to) return std::nullopt;
  if (const auto before = call.query_integer("cursor"))
    asked.before = static_cast<std::uint64_t>(*before);
  if (const auto limit = call.query_integer("limit"))
    asked.limit = static_cast<std::size_t>(std::max<std::int64_t>(1, *limit));
  return asked;
}

Task<Response> list(Call& call, Tables tables) {
  const auto wanted = asked(call);
  if (!wanted) co_return problem(400, "Invalid request", "from and to are times", "from");
  auto page =
      co_await call.read<audit::Page>([wanted = *wanted, tables, tenant = call.query("tenant")](
                                          accounts::Reach& reach) -> Result<audit::Page> {
        auto scope = tables(reach, tenant);
        if (!scope) return std::unexpected(scope.error());
        return audit::list(*scope, wanted.filter, wanted.before, wanted.limit);
      });
  if (!page) co_return problem(page.error());
  json::array items;
  for (const auto& entry : page->entries) items.push_back(audit::to_json(entry));
  json::object document{{"items", std::move(items)}};
  if (page->next) document["cursor"] = std::to_string(*page->next);
  co_return json_response(document);
}

}  // namespace

Task<Response> list_audit(Call& call) { co_return co_await list(call, of_tenant); }
Task<Response> list_platform_audit(Call& call) { co_return co_await list(call, of_platform_trail); }

// In order, from a record on; the last line's number goes on with ?after=.
Task<Response> export_audit(Call& call) {
  const bool csv = call.query("format") == "csv";
  const auto after = static_cast<std::uint64_t>(call.query_integer("after").value_or(0));
  const auto tenant = call.query("tenant");
  // An act by itself: who takes the trail away is in the trail. The reading is no writer's work.
  auto recorded = co_await call.change<void>([tenant](accounts::Reach& reach) -> Result<void> {
    auto scope = of_tenant(reach, tenant);
    if (!scope) return std::unexpected(scope.error());
    return {};
  });
  if (!recorded) co_return problem(recorded.error());
  using Entries = std::vector<audit::Entry>;
  auto entries =
      co_await call.read<Entries>([after, tenant](accounts::Reach& reach) -> Result<Entries> {
        auto scope = of_tenant(reach, tenant);
        if (!scope) return std::unexpected(scope.error());
        return audit::read_after(*scope, after, kExported);
      });
  if (!entries) co_return problem(entries.error());
  Response response;
  response.content_type = csv ? "text/csv; charset=utf-8" : "application/x-ndjson";
  if (csv) response.body = audit::csv_header();
  for (const auto& entry : *entries) {
    response.body += csv ? audit::to_csv(entry) : json::serialize(audit::to_json(entry)) + "\n";
  }
  response.headers.emplace_back(
      "Content-Disposition",
      csv ? "attachment; filename=\"audit.csv\"" : "attachment; filename=\"audit.jsonl\"");
  co_return response;
}

Task<Response> verify_audit(Call& call) {
  auto verified = co_await call.read<audit::Verification>(
      [chain = call.services.audit](accounts::Reach& reach) -> Result<audit::Verification> {
        auto tx = reach.unscoped(accounts::Permission::platform_audit, "verify the audit chains");
        if (!tx) return std::unexpected(tx.error());
        return audit::verify_all(**tx, *chain);
      });
  if (!verified) co_return problem(verified.error());
  co_return json_response(to_json(*verified));
}

// After a chain was found changed nothing more is done there unrecorded, so nothing more is done;
// this goes on from what is there. The record of it says what was found, for good.
Task<Response> resume_audit(Call& call) {
  const auto act = make_act(call.services, call.request, call.caller, call.route.name);
  auto resumed = co_await call.services.registry->note<void>(
      [act, who = call.caller, tenant = call.text("tenant")](sql::Transaction& tx) -> Result<void> {
        accounts::Reach reach(tx, who);
        auto everything = reach.unscoped(accounts::Permission::platform_audit,
                                         "go on with a changed audit chain");
        if (!everything) return std::unexpected(everything.error());
        if (tenant.empty())
          return act.chain->resume(tx, TenantId{}, record_of(act, "platform:audit"));
        auto found = reach.tenant(tenant);
        if (!found) return std::unexpected(found.error());
        return act.chain->resume(tx, found->id, record_of(act, "tenant:" + found->name));
      });
  if (!resumed) co_return problem(resumed.error());
  co_return no_content();
}

// Of the witness's socket: whoever may open that may know how long each trail is, and no more.
Task<Response> audit_heads(Call& call) {
  auto heads = co_await call.services.registry->read<audit::Heads>(
      [chain = call.services.audit, now = call.now()](sql::Transaction& tx) {
        return audit::collect_heads(tx, *chain, now);
      });
  if (!heads) co_return problem(heads.error());
  co_return json_response(to_json(*heads));
}

}  // namespace postern::web::api
