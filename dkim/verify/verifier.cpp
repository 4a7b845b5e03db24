#include "dkim/verify/verifier.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "core/ascii.hpp"
#include "dkim/fields.hpp"
#include "dkim/lookups.hpp"
#include "dkim/verify/key_record.hpp"
#include "dkim/verify/library.hpp"
#include "dkim/verify/signature.hpp"

namespace postern::dkim {

namespace {

constexpr std::size_t kBodySlice = 262'144;  // octets hashed before the event loop gets its turn

struct Parsed {
  std::optional<Signature> signature;  // absent: the result is final
  std::string_view field;
};

// One verification: message, what was read from it, the results as they come.
struct Work {
  std::shared_ptr<const std::string> message;
  MessageParts parts;
  std::vector<Field> fields;
  std::vector<Parsed> parsed;
  std::vector<SignatureResult> results;
};

void give_up_all(Work& work, const char* reason) {
  for (std::size_t i = 0; i < work.parsed.size(); ++i) {
    if (!work.parsed[i].signature) continue;
    work.parsed[i].signature.reset();
    work.results[i].result = Verdict::permerror;
    work.results[i].reason = reason;
  }
}

void parse_all(Work& work, Timestamp now) {
  work.parts = split_message(*work.message);
  work.fields = split_fields(work.parts.header);
  std::size_t from = 0;
  for (const auto& field : work.fields) {
    if (ascii::iequals(field.name, "from")) ++from;
    if (!ascii::iequals(field.name, "dkim-signature") || work.results.size() >= kMaxSignatures)
      continue;
    SignatureResult result;
    auto signature = parse_signature(field.value, now, result);
    work.parsed.push_back({std::move(signature), field.raw});
    work.results.push_back(std::move(result));
  }
  if (work.fields.size() >= kMaxFields) give_up_all(work, "too many header fields");
  // RFC 5322 §3.6: exactly one. A second one is how a signed message shows another author.
  if (from != 1) give_up_all(work, "the message has not exactly one From field");
}

std::vector<Question> key_questions(const Work& work) {
  std::vector<Question> questions;
  for (const auto& parsed : work.parsed) {
    if (parsed.signature) questions.emplace_back(parsed.signature->key_name(), dns::Type::txt);
  }
  return questions;
}

// Those with a usable key, and where their results go.
std::vector<Candidate> make_candidates(Work& work, const Lookups& table,
                                       std::vector<std::size_t>& places) {
  std::vector<Candidate> candidates;
  for (std::size_t i = 0; i < work.parsed.size(); ++i) {
    auto& parsed = work.parsed[i];
    if (!parsed.signature) continue;
    const auto answer = table.find(parsed.signature->key_name(), dns::Type::txt);
    auto key = usable_key(answer ? *answer : dns::Answer{}, *parsed.signature, work.results[i]);
    if (!key) continue;
    candidates.push_back({*parsed.signature, std::move(*key), parsed.field});
    places.push_back(i);
  }
  return candidates;
}

void conclude(SignatureResult& result, Checked checked, const Signature& signature,
              const std::vector<Field>& fields) {
  switch (checked) {
    case Checked::passed:
      result.result = Verdict::pass;
      result.reason.clear();
      // Valid, but not what a reader believes it covers: RFC 8601 §2.7.1 calls that "policy".
      if (const char* duplicate = unsigned_duplicate(signature, fields)) {
        result.result = Verdict::policy;
        result.reason = duplicate;
      }
      return;
    case Checked::bad_signature:
      result.result = Verdict::fail;
      result.reason = "the signature does not match";
      return;
    case Checked::bad_body:
      result.result = Verdict::fail;
      result.reason = "the body does not match";
      return;
    case Checked::cut_body:
      result.result = Verdict::policy;
      result.reason = "l= leaves part of the body unsigned";
      return;
    case Checked::not_processed:
      result.result = Verdict::permerror;
      result.reason = "the signature can't be verified";
      return;
  }
}

Task<bool> feed(LibraryRun& run, const Work& work) {
  if (!run.feed_header(work.fields)) co_return false;
  const Executor executor = co_await asio::this_coro::executor;
  std::string_view body = work.parts.body;
  while (!body.empty()) {
    const auto slice = body.substr(0, kBodySlice);
    body.remove_prefix(slice.size());
    if (!run.feed_body(slice)) co_return false;
    if (!body.empty()) co_await asio::post(executor, asio::use_awaitable);
  }
  // §3.4.3: the last line counts as ended. BDAT may bring a body that doesn't end so.
  const bool open_ended = !work.parts.body.empty() && !work.parts.body.ends_with("\r\n");
  co_return !open_ended || run.feed_body("\r\n");
}

Task<std::optional<std::vector<Checked>>> check_together(std::vector<Candidate> candidates,
                                                         const Work& work) {
  LibraryRun run(std::move(candidates));
  const bool fed = co_await feed(run, work);
  if (!fed) co_return std::nullopt;
  co_return run.finish();
}

// A signature that the library can't take must not cost the others their verdict: then one by one.
Task<std::vector<Checked>> check_all(std::vector<Candidate> candidates, const Work& work) {
  auto together = co_await check_together(candidates, work);
  if (together) co_return std::move(*together);
  std::vector<Checked> results;
  for (const auto& candidate : candidates) {
    std::vector<Candidate> alone{candidate};
    auto result = co_await check_together(std::move(alone), work);
    results.push_back(result ? result->front() : Checked::not_processed);
  }
  co_return results;
}

}  // namespace

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::none: return "none";
    case Verdict::pass: return "pass";
    case Verdict::fail: return "fail";
    case Verdict::policy: return "policy";
    case Verdict::neutral: return "neutral";
    case Verdict::temperror: return "temperror";
    case Verdict::permerror: return "permerror";
  }
  return "none";
}

Task<std::vector<SignatureResult>> verify(dns::Resolver& resolver,
                                          std::shared_ptr<const std::string> message,
                                          VerifyOptions options) {
  Work work{.message = std::move(message), .parts = {}, .fields = {}, .parsed = {}, .results = {}};
  parse_all(work, options.now);
  auto table = std::make_shared<Lookups>();
  co_await resolve_all(resolver, key_questions(work), table);
  std::vector<std::size_t> places;
  auto candidates = make_candidates(work, *table, places);
  if (candidates.empty()) co_return std::move(work.results);
  const auto checked = co_await check_all(std::move(candidates), work);
  for (std::size_t i = 0; i < places.size(); ++i) {
    conclude(work.results[places[i]], checked[i], *work.parsed[places[i]].signature, work.fields);
  }
  co_return std::move(work.results);
}

std::vector<SignatureResult> read_signatures(std::shared_ptr<const std::string> message,
                                             VerifyOptions options) {
  Work work{.message = std::move(message), .parts = {}, .fields = {}, .parsed = {}, .results = {}};
  parse_all(work, options.now);
  for (std::size_t i = 0; i < work.parsed.size(); ++i) {
    if (work.parsed[i].signature) work.results[i].result = Verdict::temperror;
  }
  return std::move(work.results);
}

}  // namespace postern::dkim
