// The page for people: the route table as HTML, without scripts.
#include <fmt/format.h>

#include "core/crypto.hpp"
#include "core/encoding.hpp"
#include "web/api/table/openapi.hpp"

namespace postern::web {

namespace {

constexpr std::string_view kStyle =
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;"
    "color:#1c2530;background:#fff}"
    "h2{margin-top:2.5rem;border-bottom:1px solid #d5dbe3;text-transform:capitalize}"
    "h3{font:600 1rem/1.5 ui-monospace,monospace;margin:1.75rem 0 .25rem;overflow-wrap:anywhere}"
    "code{font-family:ui-monospace,monospace}table{border-collapse:collapse;width:100%}"
    "caption{text-align:left;font-weight:600;padding:.5rem 0 .25rem}"
    "th,td{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0;"
    "border-top:1px solid #e5e9ef}"
    "@media(prefers-color-scheme:dark){body{color:#dde4ec;background:#12171d}"
    "h2,th,td{border-color:#2c3641}a{color:#8ab8ff}}";

std::string escape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out.push_back(c);
    }
  }
  return out;
}

std::string_view type_of(const Member& member) {
  switch (member.kind) {
    case Kind::text: return "text";
    case Kind::integer:
    case Kind::number: return "number";
    case Kind::flag: return "true or false";
    case Kind::time: return "time";
    case Kind::texts: return "list of texts";
    case Kind::object: return "object";
    case Kind::objects: return "list of objects";
  }
  return "";
}

void add_members(std::string& html, std::string_view caption, std::span<const Member> members) {
  html += fmt::format("<table><caption>{}</caption><tr><th>Name<th>Type<th>About\n", caption);
  for (const auto& member : members) {
    const bool needed = member.presence == Presence::required;
    html += fmt::format("<tr><td><code>{}</code>{}<td>{}<td>{}\n", escape(member.name),
                        needed ? "" : " (optional)", type_of(member), escape(member.doc));
  }
  html += "</table>\n";
}

std::string who_may(const Guard& guard) {
  switch (guard.kind) {
    case Guard::Kind::anyone: return "Anyone.";
    case Guard::Kind::half_signed_in: return "A person whose second factor is still to come.";
    case Guard::Kind::person_enrolling:
    case Guard::Kind::person: return "A person who is signed in.";
    case Guard::Kind::permission: break;
  }
  std::string text = fmt::format("Needs <code>{}</code>.", to_string(guard.permission));
  if (guard.step_up == Guard::StepUp::yes) text += " People confirm with a fresh second factor.";
  return text;
}

std::string answer_text(const Answer& answer) {
  switch (answer.form) {
    case Answer::Form::nothing: return fmt::format("{}, nothing else.", answer.status);
    case Answer::Form::one: return fmt::format("{} with a {}.", answer.status, answer.shape->name);
    case Answer::Form::list:
      return fmt::format("{} with a list of {}.", answer.status, answer.shape->name);
    case Answer::Form::text: return fmt::format("{} as {}.", answer.status, answer.media_type);
  }
  return {};
}

void add_route(std::string& html, const Route& route) {
  html += fmt::format("<h3 id=\"{}\">{} {}</h3>\n<p>{}. {} Answers {}</p>\n", route.name,
                      to_string(route.method), escape(route.pattern), escape(route.summary),
                      who_may(route.guard), escape(answer_text(route.answer)));
  if (!route.query.empty()) add_members(html, "Query", route.query);
  if (route.body != nullptr) add_members(html, "Body", route.body->members);
  if (route.answer.shape != nullptr) {
    add_members(html, route.answer.shape->name, route.answer.shape->members);
  }
}

}  // namespace

ReferencePage make_reference(std::span<const Route> routes, std::string_view version) {
  ReferencePage page;
  page.html = fmt::format(
      "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width\">\n<title>Postern API</title>"
      "<style>{}</style>\n<h1>Postern API</h1>\n<p>Version {}. The same as "
      "<a href=\"openapi.json\">OpenAPI 3.1</a>. Give an API key as <code>Authorization: Bearer "
      "KEY</code>. Errors are problem documents (RFC 9457) that name the member that is "
      "wrong.</p>\n",
      kStyle, escape(version));
  std::string_view section;
  for (const auto& route : routes) {
    const auto resource = route.name.substr(0, route.name.find('.'));
    if (resource != section) page.html += fmt::format("<h2>{}</h2>\n", resource);
    section = resource;
    add_route(page.html, route);
  }
  page.html += "</html>\n";
  page.content_security_policy = fmt::format(
      "default-src 'none'; style-src 'sha256-{}'; frame-ancestors 'none'; base-uri 'none'; "
      "form-action 'none'",
      base64_encode(crypto::sha256(kStyle)));
  return page;
}

}  // namespace postern::web
