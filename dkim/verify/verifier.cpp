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

struct Parsed {
  std::optional<Signature> signature;  // absent: the result is final
  std::string_view field;
};

// One verification: message, what was read from it, the results as they come.
struct Work {
  MessagePtr message;
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
  work.fields = split_fields(split_message(work.message->header).header);
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
    case Checked::unreadable:
      result.result = Verdict::temperror;
      result.reason = "the body could not be read";
      return;
    case Checked::not_processed:
      result.result = Verdict::permerror;
      result.reason = "the signature can't be verified";
      return;
  }
}

enum class Fed : std::uint8_t { all, library_gave_up, unreadable };

Task<Fed> feed(LibraryRun& run, const Work& work) {
  if (!run.feed_header(work.fields)) co_return Fed::library_gave_up;
  const Executor executor = co_await asio::this_coro::executor;
  auto& body = *work.message->body;
  bool ended = true;
  for (std::uint64_t at = 0; at < body.size();) {
    const auto slice = co_await body.read(at, storage::kBodyChunk);
    if (!slice || slice->empty()) co_return Fed::unreadable;
    if (!run.feed_body(*slice)) co_return Fed::library_gave_up;
    at += slice->size();
    ended = slice->ends_with('\n');
    if (at < body.size()) co_await asio::post(executor, asio::use_awaitable);
  }
  // §3.4.3: the last line counts as ended. BDAT may bring a body that doesn't end so.
  if (!ended && !run.feed_body("\r\n")) co_return Fed::library_gave_up;
  co_return Fed::all;
}

Task<std::optional<std::vector<Checked>>> check_together(std::vector<Candidate> candidates,
                                                         const Work& work) {
  const auto count = candidates.size();
  LibraryRun run(std::move(candidates));
  const Fed fed = co_await feed(run, work);
  if (fed == Fed::library_gave_up) co_return std::nullopt;
  if (fed == Fed::unreadable) co_return std::vector<Checked>(count, Checked::unreadable);
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

MessagePtr make_message(std::string_view whole) {
  const auto parts = split_message(whole);
  return std::make_shared<const Message>(
      Message{std::string(parts.header), storage::plain_source(std::string(parts.body))});
}

Task<std::vector<SignatureResult>> verify(dns::Resolver& resolver, MessagePtr message,
                                          VerifyOptions options) {
  Work work{.message = std::move(message), .fields = {}, .parsed = {}, .results = {}};
  parse_all(work, options.now);
  auto table = std::make_shared<Lookups>(resolver);
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

std::vector<SignatureResult> read_signatures(MessagePtr message, VerifyOptions options) {
  Work work{.message = std::move(message), .fields = {}, .parsed = {}, .results = {}};
  parse_all(work, options.now);
  for (std::size_t i = 0; i < work.parsed.size(); ++i) {
    if (work.parsed[i].signature) work.results[i].result = Verdict::temperror;
  }
  return std::move(work.results);
}

}  // namespace postern::dkim
