// The page: it reads openapi.json beside it, shows every endpoint, and sends requests to the same origin.

const $ = (id) => document.getElementById(id);
const METHODS = ["get", "post", "put", "patch", "delete"];
const typed = {}; // what was typed for a parameter, offered again wherever it has the same name
let api;

// --- Building blocks -------------------------------------------------------------------------------------------------

/** Make an element; attributes that are functions are listeners, those that are false or null are left out. */
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== false && value != null) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child != null && child !== false));
  return element;
}

/** Turn `code` in prose into elements. */
const prose = (text = "") => text.split("`").map((part, at) => (at % 2 ? h("code", {}, part) : part));

/** A disclosure whose content is made when it is first opened. */
function disclosure(attributes, summary, content) {
  const element = h("details", attributes, h("summary", {}, summary));
  element.addEventListener("toggle", () => element.append(...[content()].flat(Infinity).filter(Boolean)), { once: true });
  return element;
}

const badge = (method) => h("span", { class: `badge ${method}` }, method.toUpperCase());
const path = (text) => h("code", { class: "path" }, text.split(/(\{\w+\})/).map((part) => (part.startsWith("{") ? h("var", {}, part) : part)));
const heading = (text) => text[0].toUpperCase() + text.slice(1).replaceAll("-", " ");
const json = (value) => JSON.stringify(value, null, 2);

/** Show JSON in colours. */
function code(text) {
  const parts = text.split(/("(?:[^"\\]|\\.)*"(?:\s*:)?|-?\b\d[\d.eE+-]*\b|\b(?:true|false|null)\b)/);
  const kind = (part) => (part.startsWith('"') ? (part.endsWith(":") ? "key" : "text") : "value");
  const spans = parts.map((part, at) => (at % 2 ? h("span", { class: kind(part) }, part) : part));
  return h("pre", { tabindex: 0 }, h("code", {}, spans));
}

// --- Schemas ---------------------------------------------------------------------------------------------------------

const nameOf = (schema) => schema.$ref?.split("/").at(-1);

/** Find what a reference points to. */
const found = (pointer) => pointer.slice(2).split("/").reduce((node, key) => node[key.replaceAll("~1", "/").replaceAll("~0", "~")], api);

/** Follow references, and join what is said of one thing in several places; what comes later is more exact. */
function resolved({ $ref, allOf = [], ...own }) {
  const parts = [...($ref ? [found($ref)] : []), ...allOf].map(resolved).concat(own);
  const properties = Object.assign({}, ...parts.map((part) => part.properties));
  return Object.assign({}, ...parts, Object.keys(properties).length > 0 && { properties });
}

/** Say in a few words what values a schema allows. */
function kind(schema) {
  const it = resolved(schema);
  const options = it.anyOf ?? it.oneOf;
  if (options) return options.map(kind).join(" | ");
  if (it.const !== undefined) return JSON.stringify(it.const);
  if (it.type === "array") return `${kind(it.items ?? {})}[]`.replace(/^(.* \| .*)\[\]$/, "($1)[]");
  if (it.properties && schema.$ref) return nameOf(schema);
  return [it.type ?? "anything", it.format].filter(Boolean).join(", ");
}

/** Say what else values must be. */
function limits(schema) {
  const it = resolved(schema);
  const range = (low, high, unit) => {
    if (it[low] != null && it[high] != null) return `${it[low]} to ${it[high]}${unit}`;
    return it[low] != null ? `at least ${it[low]}${unit}` : it[high] != null && `at most ${it[high]}${unit}`;
  };
  return [
    range("minimum", "maximum", ""),
    range("minLength", "maxLength", " characters"),
    range("minItems", "maxItems", " items"),
    it.pattern && h("code", {}, it.pattern),
    it.default != null && ["default ", h("code", {}, JSON.stringify(it.default))],
  ].filter(Boolean);
}

/** Collect the words that a value must be one of. */
function words(schema) {
  const it = resolved(schema);
  return it.enum ?? (it.anyOf ?? it.oneOf ?? []).flatMap((each) => resolved(each).enum ?? []);
}

/** Collect the objects that a value may be, or may be made of. */
function objects(schema) {
  const it = resolved(schema);
  if (it.properties) return [[nameOf(schema) ?? "object", it]];
  return [...(it.anyOf ?? []), ...(it.oneOf ?? []), ...(it.items ? [it.items] : [])].flatMap(objects);
}

function notes(schema) {
  const it = resolved(schema);
  const parts = limits(schema).flatMap((part, at) => (at ? [" · ", part] : [part])).flat();
  const choice = words(schema).flatMap((word, at) => [at ? " " : null, h("code", {}, String(word))]);
  return [
    it.description && h("p", {}, prose(it.description)),
    choice.length > 0 && h("p", { class: "words" }, choice),
    parts.length > 0 && h("p", { class: "quiet" }, parts),
  ];
}

function field(name, schema, required, where) {
  const head = [
    h("code", { class: "name" }, name),
    h("span", { class: "kind" }, kind(schema)),
    where && h("span", { class: "quiet" }, where),
    required && h("span", { class: "required" }, "required"),
  ];
  const inner = objects(schema);
  if (inner.length === 0) return h("li", {}, h("div", { class: "head" }, head), notes(schema));
  return h("li", {}, disclosure({ class: "inner" }, h("span", { class: "head" }, head), () => inner.map(([, each]) => fields(each))));
}

/** List the fields of an object, those inside them to be opened. */
function fields(schema) {
  const required = new Set(schema.required);
  return h("ul", { class: "fields" }, Object.entries(schema.properties).map(([name, each]) => field(name, each, required.has(name))));
}

const shape = (schema) => objects(schema).map(([, each]) => fields(each));

// --- An endpoint -----------------------------------------------------------------------------------------------------

const bodyOf = (operation) => Object.values(operation.requestBody?.content ?? {})[0];
const credentials = (operation) => operation.security.flatMap(Object.keys);

function parameters(operation) {
  if (!operation.parameters) return null;
  const rows = operation.parameters.map((each) => {
    const told = each.description ? { ...each.schema, description: each.description } : each.schema;
    return field(each.name, told, each.required, each.in);
  });
  return [h("h4", {}, "Parameters"), h("ul", { class: "fields" }, rows)];
}

function request(operation) {
  const body = bodyOf(operation);
  return body && [h("h4", {}, "Body"), h("p", {}, prose(resolved(body.schema).description)), shape(body.schema)];
}

/** Show one answer: what it means, its examples, its fields. */
function answer(status, response) {
  const content = Object.entries(response.content ?? {}).map(([type, each]) => {
    const examples = each.examples ? Object.values(each.examples).map((one) => resolved(one).value) : [each.example].filter(Boolean);
    const inside = shape(each.schema);
    return [
      h("p", { class: "quiet" }, type),
      examples.map((one) => code(json(one))),
      inside.length > 0 && disclosure({ class: "more" }, "Fields", () => inside),
    ];
  });
  const headers = Object.keys(response.headers ?? {});
  const codes = Object.values(response.content ?? {}).flatMap((each) => Object.keys(each.examples ?? {}));
  const told = codes.length > 0 ? codes.flatMap((one) => [h("code", {}, one), " "]) : response.description;
  return disclosure({ class: "answer" }, [h("span", { class: `status s${status[0]}` }, status), " ", h("span", {}, told)], () => [
    content,
    headers.length > 0 && h("p", { class: "quiet" }, "Headers: ", headers.flatMap((name, at) => [at ? ", " : null, h("code", {}, name)])),
  ]);
}

function who(operation) {
  const schemes = credentials(operation);
  if (schemes.length === 0) return h("p", { class: "quiet" }, "No credential.");
  const chips = schemes.flatMap((name) => [h("span", { class: "chip", title: api.components.securitySchemes[name].description }, name), " "]);
  return h("p", { class: "quiet" }, "Credential: ", chips);
}

function endpoint(method, route, operation) {
  const summary = [badge(method), path(route), h("span", { class: "summary" }, operation.summary)];
  return disclosure({ class: "endpoint", id: operation.operationId, "data-text": `${method} ${route} ${operation.summary}`.toLowerCase() }, summary, () =>
    h("div", { class: "columns" },
      h("div", {}, h("p", {}, prose(operation.description)), who(operation), parameters(operation), request(operation),
        h("h4", {}, "Answers"), Object.entries(operation.responses).map(([status, each]) => answer(status, each))),
      trial(method, route, operation)));
}

// --- Trying it -------------------------------------------------------------------------------------------------------

function control(parameter) {
  const it = resolved(parameter.schema);
  const common = { name: parameter.name, required: parameter.required, input: (event) => (typed[parameter.name] = event.target.value) };
  const choice = words(parameter.schema);
  if (choice.length > 0) return h("select", common, h("option", { value: "" }, "–"), choice.map((word) => h("option", {}, word)));
  const input = h("input", { ...common, placeholder: it.examples?.[0] ?? it.default ?? "", autocomplete: "off", spellcheck: "false" });
  if (parameter.in === "path") input.value = typed[parameter.name] ?? "";
  return input;
}

/** Put together what is to be sent, from the form. */
function draft(form, method, route, operation) {
  const values = new FormData(form);
  const address = new URL(api.servers[0].url.replace(/\/$/, "") + route.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(values.get(name))), location);
  const headers = {};
  for (const { name, in: where } of operation.parameters ?? []) {
    if (where === "query" && values.get(name)) address.searchParams.set(name, values.get(name));
    if (where === "header" && values.get(name)) headers[name] = values.get(name);
  }
  const body = bodyOf(operation) ? values.get("(body)") : undefined;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  return { address, method: method.toUpperCase(), headers, body };
}

/** Say the same as a command; the credential itself is left to the reader's shell. */
function command({ address, method, headers, body }, secured) {
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const parts = [`curl -X ${method} ${quoted(address.href)}`, ...Object.entries(headers).map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`)];
  if (secured) parts.push('-H "Authorization: Bearer $TOKEN"');
  if (body !== undefined) parts.push(`-d ${quoted(body)}`);
  return parts.join(" \\\n  ");
}

async function send({ address, method, headers, body }, secured) {
  const credential = $("credential").value.trim();
  const all = secured && credential ? { ...headers, Authorization: `Bearer ${credential}` } : headers;
  const started = performance.now();
  const response = await fetch(address, { method, headers: all, body, cache: "no-store", credentials: "omit" });
  const text = await response.text();
  return { response, text, took: Math.round(performance.now() - started) };
}

function pretty(text) {
  try {
    return json(JSON.parse(text));
  } catch {
    return text;
  }
}

function result({ response, text, took }) {
  const size = new Blob([text]).size;
  return [
    h("p", { class: "outcome" }, h("span", { class: `status s${String(response.status)[0]}` }, String(response.status)), ` ${response.statusText} · ${took} ms · ${size} bytes`),
    h("details", { class: "more" }, h("summary", {}, "Headers"), h("dl", {}, [...response.headers].map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]).flat())),
    text ? code(pretty(text)) : h("p", { class: "quiet" }, "No body."),
  ];
}

/** A form that sends the request, and what came of it. */
function trial(method, route, operation) {
  const secured = credentials(operation).length > 0;
  const body = bodyOf(operation);
  const output = h("div", { class: "result", role: "status" });
  const rows = (operation.parameters ?? []).map((each) => h("label", {}, h("span", {}, h("code", {}, each.name), each.required && h("span", { class: "required" }, "required")), control(each)));
  const spell = () => output.replaceChildren(h("pre", { tabindex: 0 }, command(draft(form, method, route, operation), secured)));
  const submit = async (event) => {
    event.preventDefault();
    form.classList.add("busy");
    try {
      output.replaceChildren(...result(await send(draft(form, method, route, operation), secured)));
    } catch {
      output.replaceChildren(h("p", { class: "bad" }, "There was no answer: is the service running?"));
    }
    form.classList.remove("busy");
  };
  const form = h("form", { class: "trial", submit, "aria-label": `Try ${method.toUpperCase()} ${route}` },
    h("h4", {}, "Try it"),
    rows,
    body && h("label", {}, h("span", {}, "Body"), h("textarea", { name: "(body)", rows: Math.min(18, json(body.example).split("\n").length + 1), spellcheck: "false" }, json(body.example))),
    h("div", { class: "buttons" }, h("button", { class: "primary" }, "Send"), h("button", { type: "button", click: spell }, "Show as curl")),
    output);
  return form;
}

// --- The page --------------------------------------------------------------------------------------------------------

/** List the endpoints of each tag, in the order of the description. */
function groups() {
  const all = Object.entries(api.paths).flatMap(([route, item]) => METHODS.filter((method) => item[method]).map((method) => [method, route, item[method]]));
  return api.tags.map((tag) => [tag, all.filter(([, , operation]) => operation.tags.includes(tag.name))]);
}

function problems() {
  const all = Object.entries(api.components.examples).sort(([, a], [, b]) => a.value.status - b.value.status);
  const rows = all.map(([name, { value }]) =>
    h("tr", {}, h("td", {}, h("span", { class: `status s${String(value.status)[0]}` }, String(value.status))), h("td", {}, h("code", {}, name)), h("td", {}, value.title)));
  return h("section", { id: "problems" }, h("h2", {}, "Problems"),
    h("p", { class: "quiet" }, "Every refusal names one of these codes, as ", h("code", {}, "application/problem+json"), "."),
    h("table", {}, h("thead", {}, h("tr", {}, ["Status", "Code", "Meaning"].map((each) => h("th", { scope: "col" }, each)))), h("tbody", {}, rows)));
}

function models() {
  const all = Object.entries(api.components.schemas).filter(([, schema]) => schema.properties);
  return h("section", { id: "models" }, h("h2", {}, "Models"),
    all.map(([name, schema]) => disclosure({ class: "answer" }, [h("code", {}, name), " ", h("span", { class: "quiet" }, prose(schema.description))], () => fields(schema))));
}

function introduction() {
  const schemes = Object.entries(api.components.securitySchemes).map(([name, each]) => [h("dt", {}, h("code", {}, name)), h("dd", {}, prose(each.description))]);
  return h("section", { id: "introduction" }, h("h2", { class: "lead" }, api.info.summary), h("p", {}, prose(api.info.description)),
    h("dl", { class: "schemes" }, schemes.flat()), h("p", {}, h("a", { href: "openapi.json" }, "openapi.json"), ` · OpenAPI ${api.openapi}`));
}

function section([tag, operations]) {
  return h("section", { id: `tag-${tag.name}` }, h("h2", {}, heading(tag.name)), h("p", { class: "quiet" }, prose(tag.description)), operations.map((each) => endpoint(...each)));
}

function contents([tag, operations]) {
  const links = operations.map(([method, route, operation]) =>
    h("li", { "data-text": `${method} ${route} ${operation.summary}`.toLowerCase() },
      h("a", { href: `#${operation.operationId}`, title: operation.summary }, badge(method), h("span", {}, heading(operation.operationId.replaceAll("_", "-"))))));
  return h("div", { class: "group" }, h("h3", {}, heading(tag.name)), h("ul", {}, links));
}

function filter() {
  const wanted = $("filter").value.trim().toLowerCase();
  for (const each of document.querySelectorAll("[data-text]")) each.hidden = !each.dataset.text.includes(wanted);
  const groups = [...document.querySelectorAll(".group, main section[id^=tag-]")];
  for (const each of groups) each.hidden = !each.querySelector("[data-text]:not([hidden])");
  $("nothing").hidden = groups.some((each) => !each.hidden);
}

function toggleMenu(open) {
  document.body.classList.toggle("menu-open", open);
  $("menu").setAttribute("aria-expanded", open);
}

/** Open the endpoint that the address names, and mark it in the list. */
function follow() {
  const target = $(decodeURIComponent(location.hash.slice(1)));
  for (const link of $("contents").querySelectorAll("a")) link.toggleAttribute("aria-current", link.hash === location.hash);
  toggleMenu(false);
  if (target?.matches("details")) target.open = true;
  target?.scrollIntoView();
}

function switchTheme() {
  const dark = getComputedStyle(document.body).getPropertyValue("--dark").trim() === "1";
  document.documentElement.dataset.theme = dark ? "light" : "dark";
}

async function start() {
  const response = await fetch("openapi.json");
  if (!response.ok) throw new Error(`openapi.json answers ${response.status}`);
  api = await response.json();
  $("title").textContent = api.info.title;
  $("version").textContent = api.info.version;
  const all = groups();
  const more = h("div", { class: "group" }, h("h3", {}, "Reference"), h("ul", {}, [["#problems", "Problems"], ["#models", "Models"]].map(([href, text]) => h("li", {}, h("a", { href }, text)))));
  $("contents").replaceChildren(...all.map(contents), more);
  $("main").replaceChildren(introduction(), ...all.map(section), problems(), models());
  follow();
}

$("theme").addEventListener("click", switchTheme);
$("menu").addEventListener("click", () => toggleMenu(!document.body.classList.contains("menu-open")));
$("filter").addEventListener("input", filter);
addEventListener("hashchange", follow);
addEventListener("keydown", (event) => event.key === "Escape" && toggleMenu(false));
start().catch((error) => ($("state").textContent = `The description cannot be read: ${error.message}.`));
