// The inbox: a list that keeps itself up to date, and one open message, named by the address's fragment.

const SHOWN = 200;
const GATHER_MS = 80; // a bulk invitation is hundreds of events, and one look at the result is enough
const READ_KEY = "read";

const at = (id) => document.getElementById(id);
const read = new Set(JSON.parse(localStorage.getItem(READ_KEY) ?? "[]"));
let messages = [];
let total = 0;
let tab = "html";

// --- talking to the server ---

async function refresh() {
  const [list, order] = await Promise.all([fetch(`/messages?limit=${SHOWN}`), fetch("/behaviour")]);
  messages = await list.json();
  total = Number(list.headers.get("X-Total-Count"));
  showOrder(await order.json());
  showList();
  showMessage();
}

function listen() {
  let timer = null;
  const events = new EventSource("/events");
  events.onmessage = () => {
    showLive("live", "live");
    timer ??= setTimeout(() => { timer = null; refresh(); }, GATHER_MS);
  };
  events.onerror = () => showLive("lost", "not running, trying again…");
}

// --- showing ---

function showLive(state, text) {
  if (at("live").dataset.state === state) return;
  at("live").dataset.state = state;
  at("live").textContent = text;
}

function showOrder({ mode, count, perMinute, perHour }) {
  const parts = [];
  if (mode !== "ok") parts.push(count ? `${mode}, ${count} more` : mode);
  if (perMinute) parts.push(`at most ${perMinute} a minute`);
  if (perHour) parts.push(`at most ${perHour} an hour`);
  at("order").hidden = parts.length === 0;
  at("order-text").textContent = parts.join(" · ");
}

function showList() {
  const wanted = at("search").value.trim().toLowerCase();
  const found = messages.filter((m) => `${m.to}\n${m.subject}\n${m.text}`.toLowerCase().includes(wanted));
  const focused = document.activeElement?.dataset?.id;
  at("list").replaceChildren(...found.map(item));
  if (focused) document.querySelector(`.item[data-id="${focused}"]`)?.focus();
  at("count").textContent = total > messages.length ? `The newest ${messages.length} of ${total}` : `${total} in all`;
  at("no-match").hidden = found.length > 0 || messages.length === 0;
  at("clear").disabled = total === 0;
  document.body.classList.toggle("nothing", total === 0);
  const unread = messages.filter((m) => !read.has(m.id)).length;
  document.title = unread ? `(${unread}) Mail` : "Mail";
}

function item(message) {
  const link = document.createElement("a");
  link.href = `#${message.id}`;
  link.dataset.id = message.id;
  link.className = read.has(message.id) ? "item" : "item unread";
  link.setAttribute("aria-current", String(message.id === openId()));
  const badge = part("badge", message.to.charAt(0).toUpperCase());
  badge.style.setProperty("--hue", hue(message.to));
  badge.setAttribute("aria-hidden", "true");
  const when = part("when", ago(message.receivedAt));
  when.dataset.time = message.receivedAt;
  link.append(badge, part("who", message.to), when, part("what", message.subject));
  const entry = document.createElement("li");
  entry.append(link);
  return entry;
}

function part(name, text) {
  const span = document.createElement("span");
  span.className = name;
  span.textContent = text;
  return span;
}

function showMessage() {
  const message = messages.find((m) => m.id === openId());
  document.body.classList.toggle("reading", Boolean(message));
  at("message").hidden = !message;
  at("unopened").hidden = Boolean(message) || messages.length === 0;
  at("empty").hidden = messages.length > 0;
  if (!message || at("message").dataset.id === message.id) return;

  at("message").dataset.id = message.id;
  at("subject").textContent = message.subject;
  at("to").textContent = message.to;
  at("from").textContent = message.from;
  at("received").dateTime = message.receivedAt;
  at("received").textContent = new Date(message.receivedAt).toLocaleString();
  at("body-html").srcdoc = `${message.html}<base target="_blank">`;
  at("body-text").textContent = message.text;
  at("tab-html").disabled = !message.html;
  showTab(message.html ? tab : "text");
}

function showTab(name) {
  for (const each of ["html", "text"]) {
    at(`tab-${each}`).setAttribute("aria-selected", String(each === name));
    at(`tab-${each}`).tabIndex = each === name ? 0 : -1;
    at(`body-${each}`).hidden = each !== name;
  }
}

function hue(text) {
  return [...text].reduce((sum, c) => (sum * 31 + c.codePointAt(0)) % 360, 7);
}

function ago(time) {
  const minutes = Math.floor((Date.now() - new Date(time)) / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min`;
  const date = new Date(time);
  const today = date.toDateString() === new Date().toDateString();
  return today ? date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }) : date.toLocaleDateString();
}

// --- doing ---

function openId() {
  return location.hash.slice(1);
}

function open() {
  if (openId()) {
    read.add(openId());
    localStorage.setItem(READ_KEY, JSON.stringify([...read].slice(-2 * SHOWN)));
  }
  showList();
  showMessage();
}

function step(event) {
  const direction = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const items = [...document.querySelectorAll(".item")];
  const next = items[items.indexOf(document.activeElement) + direction];
  if (!direction || !next) return;
  event.preventDefault();
  next.focus();
  location.replace(next.getAttribute("href"));
}

for (const name of ["html", "text"]) {
  at(`tab-${name}`).addEventListener("click", () => { tab = name; showTab(name); });
}
document.querySelector(".tabs").addEventListener("keydown", (event) => {
  if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
  const other = event.target.id === "tab-html" ? at("tab-text") : at("tab-html");
  other.click();
  other.focus();
});
at("clear").addEventListener("click", () => fetch("/messages", { method: "DELETE" }));
at("order-end").addEventListener("click", () => fetch("/behaviour", { method: "PUT", body: JSON.stringify({ mode: "ok" }) }));
at("search").addEventListener("input", showList);
at("list").addEventListener("keydown", step);
addEventListener("hashchange", open);
setInterval(() => document.querySelectorAll(".when").forEach((w) => { w.textContent = ago(w.dataset.time); }), 30_000);

open();
listen();
