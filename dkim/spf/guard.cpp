#include "dkim/spf/guard.hpp"

#include <algorithm>
#include <utility>

#include "core/ascii.hpp"
#include "dkim/domain.hpp"

namespace postern::spf {

namespace {

Reply try_again() { return {.status = Reply::Status::try_again}; }

Reply addresses_reply(std::vector<boost::asio::ip::address> addresses) {
  Reply reply;
  reply.status = addresses.empty() ? Reply::Status::nodata : Reply::Status::ok;
  reply.addresses = std::move(addresses);
  return reply;
}

}  // namespace

Evaluation::Evaluation(const dkim::Lookups& table, const MacroValues& values)
    : table_(table), values_(values) {}

void Evaluation::end(Verdict verdict, std::string reason) {
  if (fatal_ || !missing_.empty()) return;
  fatal_ = verdict;
  reason_ = std::move(reason);
}

std::shared_ptr<const dns::Answer> Evaluation::look_up(const std::string& name, dns::Type type) {
  auto answer = table_.find(name, type);
  if (answer == nullptr) missing_.emplace_back(name, type);
  return answer;
}

bool Evaluation::charge_term() {
  if (++terms_ <= kMaxLookupTerms) return true;
  end(Verdict::permerror, "too many terms that look up");
  return false;
}

bool Evaluation::charge_void(dns::Status status) {
  if (status != dns::Status::nodata && status != dns::Status::nxdomain) return true;
  if (++voids_ <= kMaxVoidLookups) return true;
  end(Verdict::permerror, "too many void lookups");
  return false;
}

// §4.4, §4.5: the one record at the domain, rewritten; nullopt ends the pass.
std::optional<std::string> Evaluation::load(const std::string& domain, Entered entered) {
  const auto answer = look_up(domain, dns::Type::txt);
  if (answer == nullptr) return std::nullopt;
  if (answer->status == dns::Status::temporary) {
    end(Verdict::temperror, "no answer for the policy record");
    return std::nullopt;
  }
  std::vector<std::string_view> found;
  for (const auto& text : answer->texts) {
    if (is_spf_record(text)) found.emplace_back(text);
  }
  if (found.empty()) {
    // §5.2, §6.1: to include or redirect to a domain without a record is an error.
    if (entered == Entered::first) {
      end(Verdict::none, "no policy record");
    } else {
      end(Verdict::permerror, "a policy refers to a domain without one");
    }
    return std::nullopt;
  }
  if (found.size() > 1) {
    end(Verdict::permerror, "more than one policy record");
    return std::nullopt;
  }
  auto record = parse_record(found.front());
  if (!record) {
    end(Verdict::permerror, record.error().message);
    return std::nullopt;
  }
  policies_.push_back({domain, record->explanation});
  return rewrite(*record, policies_.size() - 1);
}

std::optional<std::string> Evaluation::start() {
  auto text = load(values_.domain, Entered::first);
  if (!text) return std::nullopt;
  return alias({.purpose = Purpose::group, .spec = {}, .text = std::move(*text)});
}

const std::optional<std::string>& Evaluation::explanation_spec() const {
  static const std::optional<std::string> none;
  return policies_.empty() ? none : policies_[deciding_].explanation;
}

MacroValues Evaluation::final_values() const {
  MacroValues values = values_;
  if (!policies_.empty()) values.domain = policies_[deciding_].domain;
  return values;
}

// The name a target stands for, macros expanded; nullopt when %{p} waits for lookups.
std::optional<std::string> Evaluation::real_name(const Target& target) {
  const std::string& domain = policies_[target.policy].domain;
  if (target.spec.empty()) return domain;
  MacroValues values = values_;
  values.domain = domain;
  if (needs_validated_name(target.spec)) {
    auto name = validated_name(domain);
    if (!name) return std::nullopt;
    values.validated_name = std::move(*name);
  }
  return expand_domain(target.spec, values);
}

// §5.5: the names of the client's PTR records that lead back to it. An error skips a name.
std::optional<std::vector<std::string>> Evaluation::validated_names() {
  const auto pointers = look_up(dns::reverse_name(values_.ip), dns::Type::ptr);
  if (pointers == nullptr) return std::nullopt;
  std::vector<std::string> names;
  const auto type = values_.ip.is_v4() ? dns::Type::a : dns::Type::aaaa;
  bool waiting = false;
  for (std::size_t i = 0; i < std::min(pointers->names.size(), kMaxPtr); ++i) {
    const auto answer = look_up(pointers->names[i], type);
    waiting = waiting || answer == nullptr;
    if (answer == nullptr) continue;
    if (std::ranges::find(answer->addresses, values_.ip) != answer->addresses.end()) {
      names.push_back(ascii::to_lower(pointers->names[i]));
    }
  }
  if (waiting) return std::nullopt;
  return names;
}

std::optional<std::string> Evaluation::validated_name(const std::string& domain) {
  const auto names = validated_names();
  if (!names) return std::nullopt;
  const std::string lower = ascii::to_lower(domain);
  // §7.3: the domain itself, else a name below it, else any.
  if (std::ranges::find(*names, lower) != names->end()) return lower;
  for (const auto& name : *names) {
    if (dkim::is_at_or_below(name, lower)) return name;
  }
  return names->empty() ? "unknown" : names->front();
}

Reply Evaluation::answer(const std::string& alias_name, dns::Type type) {
  if (fatal_ || !missing_.empty()) return try_again();
  const auto found = targets_.find(alias_name);
  if (found == targets_.end()) return {.status = Reply::Status::nxdomain};
  // A copy: answering makes new aliases.
  const Target target = found->second;
  const bool text = type == dns::Type::txt;
  const bool address = type == dns::Type::a || type == dns::Type::aaaa;
  switch (target.purpose) {
    case Purpose::record: return text ? answer_record(target) : Reply{};
    case Purpose::group:
      return text ? Reply{.status = Reply::Status::ok, .text = target.text} : Reply{};
    case Purpose::mx: return type == dns::Type::mx ? answer_mx(target) : Reply{};
    case Purpose::mx_host: return address ? answer_mx_host(target, type) : Reply{};
    case Purpose::ptr: return address ? answer_ptr(target) : Reply{};
    case Purpose::literal: return address ? addresses_reply({target.address}) : Reply{};
    case Purpose::address:
    case Purpose::exists: return address ? answer_address(target, type) : Reply{};
  }
  return {};
}

Reply Evaluation::answer_record(const Target& target) {
  if (!charge_term()) return try_again();
  const auto name = real_name(target);
  if (!name) return try_again();
  auto text = load(*name, target.entered);
  if (!text) return try_again();
  if (target.entered == Entered::redirect && target.policy == deciding_) {
    deciding_ = policies_.size() - 1;
  }
  return {.status = Reply::Status::ok, .text = std::move(*text)};
}

// `a` asks for the client's family; `exists` for A always (§5.7), as the library does.
Reply Evaluation::answer_address(const Target& target, dns::Type type) {
  if (!charge_term()) return try_again();
  const auto name = real_name(target);
  const auto answer = name ? look_up(*name, type) : nullptr;
  if (answer == nullptr || !charge_void(answer->status)) return try_again();
  if (answer->status == dns::Status::temporary) {
    end(Verdict::temperror, "no answer for an address");
    return try_again();
  }
  if (target.matching == Matching::any && !answer->addresses.empty())
    return addresses_reply({values_.ip});
  return addresses_reply(answer->addresses);
}

Reply Evaluation::answer_mx(const Target& target) {
  if (!charge_term()) return try_again();
  const auto name = real_name(target);
  const auto answer = name ? look_up(*name, dns::Type::mx) : nullptr;
  if (answer == nullptr || !charge_void(answer->status)) return try_again();
  if (answer->status == dns::Status::temporary) {
    end(Verdict::temperror, "no answer for an MX set");
    return try_again();
  }
  if (answer->mx.size() > kMaxMx) {
    end(Verdict::permerror, "too many MX records");
    return try_again();
  }
  Reply reply;
  const auto type = values_.ip.is_v4() ? dns::Type::a : dns::Type::aaaa;
  for (const auto& mx : answer->mx) {
    if (mx.host.empty()) continue;
    (void)look_up(mx.host, type);  // notes all that are missing at once
    Target host{.purpose = Purpose::mx_host, .spec = mx.host};
    host.matching = target.matching;
    reply.hosts.push_back(alias(std::move(host)));
  }
  if (!missing_.empty()) return try_again();
  reply.status = reply.hosts.empty() ? Reply::Status::nodata : Reply::Status::ok;
  return reply;
}

Reply Evaluation::answer_mx_host(const Target& target, dns::Type type) {
  const auto answer = look_up(target.spec, type);
  if (answer == nullptr) return try_again();
  if (answer->status == dns::Status::temporary) {
    end(Verdict::temperror, "no answer for an MX host");
    return try_again();
  }
  if (target.matching == Matching::any && !answer->addresses.empty())
    return addresses_reply({values_.ip});
  return addresses_reply(answer->addresses);
}

Reply Evaluation::answer_ptr(const Target& target) {
  if (!charge_term()) return try_again();
  const auto names = validated_names();
  const auto domain = names ? real_name(target) : std::nullopt;
  if (!domain) return try_again();
  const std::string lower = ascii::to_lower(*domain);
  const bool match = std::ranges::any_of(
      *names, [&lower](const std::string& name) { return dkim::is_at_or_below(name, lower); });
  return match ? addresses_reply({values_.ip}) : Reply{};
}

}  // namespace postern::spf
