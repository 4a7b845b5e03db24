// What the pages that mailed links lead to do: one step is shown at a time, and its form is posted to the API as JSON.
//
//   data-step="name"    on each step's element; shown alone
//   data-page="/path"   the page that a step is of; without it, of those that have none of this name
//   data-post="/v1/..." on a form: where its fields go, with the link's secret where data-with-token is
//   data-then="name"    the step after it, unless the answer asks for a second factor
//   data-passkey        on a button: the browser's own second factor instead
//   data-show="name"    on a button: another step instead
//   data-say="member"   is filled from the session that the API answered with
"use strict";

const secret = location.hash.slice(1);
history.replaceState(null, "", location.pathname); // it doesn't stay in the address bar

const csrf_cookie = location.protocol === "https:" ? "__Host-postern-csrf" : "postern-csrf";
const csrf_token = () => document.cookie.split("; ").find((one) => one.startsWith(`${csrf_cookie}=`))?.split("=")[1];
const knows_passkeys = "parseRequestOptionsFromJSON" in (window.PublicKeyCredential ?? {});
const all = (selector, root = document) => [...root.querySelectorAll(selector)];

function show(name) {
  const step = `[data-step="${name}"]`;
  const shown = document.querySelector(`${step}[data-page="${location.pathname}"]`) ?? document.querySelector(`${step}:not([data-page])`);
  for (const one of all("[data-step]")) one.hidden = one !== shown;
  document.title = shown.querySelector("h1").textContent;
  (shown.querySelector("input") ?? shown.querySelector("h1")).focus();
}

function say(form, text) {
  const status = form.querySelector("[role=alert]");
  status.textContent = text;
  status.hidden = !text;
}

function mark(form, problem) {
  const wrong = problem.field && form.elements.namedItem(problem.field);
  for (const input of all("input", form)) input.setAttribute("aria-invalid", String(input === wrong));
  say(form, problem.detail ?? problem.title);
  wrong?.focus();
}

async function call(method, path, body) {
  const headers = { "Content-Type": "application/json" };
  const token = csrf_token();
  if (token) headers["X-CSRF-Token"] = token;
  const response = await fetch(path, { method, headers, body: body && JSON.stringify(body), signal: AbortSignal.timeout(30000) });
  const text = await response.text();
  return { ok: response.ok, status: response.status, body: text ? JSON.parse(text) : {} };
}

function go_on(form, answer) {
  if (!answer.csrf_token) return show(form.dataset.then);
  for (const place of all("[data-say]")) place.textContent = [answer[place.dataset.say]].flat().map((item) => item.name ?? item).join(", ");
  for (const button of all("[data-passkey]")) button.hidden = !knows_passkeys || !answer.second_factors.includes("passkey");
  show({ half: "second-factor", enrolling: "enrolling" }[answer.sign_in] ?? form.dataset.then);
}

function fields_of(form) {
  const fields = Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));
  if ("withToken" in form.dataset) fields.token = secret;
  if (form.dataset.step === "second-factor") fields.kind = /^\d{6}$/.test(fields.code.replaceAll(" ", "")) ? "totp" : "recovery_code";
  return fields;
}

async function post(form) {
  const answer = await call(form.dataset.method ?? "POST", form.dataset.post, form.dataset.method ? undefined : fields_of(form));
  if (answer.ok) return go_on(form, answer.body);
  if ([401, 404].includes(answer.status) && "withToken" in form.dataset) return show("gone");
  mark(form, answer.body);
}

async function give_passkey(form) {
  const begun = await call("POST", "/v1/session/passkey/options", {});
  if (!begun.ok) return mark(form, begun.body);
  const options = PublicKeyCredential.parseRequestOptionsFromJSON(begun.body.options);
  const { id, response } = (await navigator.credentials.get({ publicKey: options })).toJSON();
  const answer = await call("POST", "/v1/session/passkey", {
    flow: begun.body.flow,
    credential_id: id,
    client_data_json: response.clientDataJSON,
    authenticator_data: response.authenticatorData,
    signature: response.signature,
    user_handle: response.userHandle,
  });
  return answer.ok ? go_on(form, answer.body) : mark(form, answer.body);
}

// One at a time, and what doesn't work is said.
async function attempt(form, work) {
  const buttons = all("button", form);
  for (const button of buttons) button.disabled = true;
  say(form, "");
  try {
    await work(form);
  } catch (error) {
    say(form, error.name === "NotAllowedError" ? "No passkey was used." : "That didn't work. Check your connection and try again.");
  }
  for (const button of buttons) button.disabled = false;
}

for (const form of document.forms) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(form, post);
  });
  for (const button of all("[data-show]", form)) button.addEventListener("click", () => show(button.dataset.show));
  for (const button of all("[data-passkey]", form)) button.addEventListener("click", () => attempt(form, give_passkey));
}
addEventListener("hashchange", () => location.reload()); // another link, opened in the same tab
show(secret ? "link" : "ask");
