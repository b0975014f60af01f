// Show the widgets of the dashboard, follow them live, and perform their actions.

import { actionAt, actionOfForm, confirmed, fields } from "/actions.js";
import { limits, minute, readAddress, takeToken, writeAddress } from "/address.js";
import { fragment, update } from "/content.js";
import { chooseTheme, chosenTheme, shownTheme } from "/theme.js";

const { layout, seconds, environment } = document.body.dataset;
const byId = (id) => document.getElementById(id);
const time = () => `${new Date().toISOString().slice(11, 19)} UTC`;
const AT_ONCE = 3; // requests
const NOTICE_MILLISECONDS = 30_000; // how long the answer to a change stays

const isGiven = ([, text]) => text;
const given = (fields) => Object.fromEntries(Object.entries(fields).map(([name, text]) => [name, text.trim()]).filter(isGiven));

let token = takeToken();
let state = readAddress();

class Panel {
  constructor(section) {
    this.section = section;
    this.index = Number(section.dataset.index);
    this.name = section.dataset.panel;
    [this.title, this.note, this.body] = ["h2", ".note", ".body"].map((each) => section.querySelector(each));
    this.body.style.minHeight = `${this.body.dataset.height}px`;
    this.latest = 0; // number of the newest request: answers to earlier ones are ignored
    this.isHeldUntil = 0;
    this.body.addEventListener("click", (chosen) => this.choose(chosen));
    this.body.addEventListener("keydown", (pressed) => this.press(pressed));
    this.body.addEventListener("submit", (submitted) => submitted.preventDefault());
  }

  async ask(question) {
    const [begin, end] = limits(state.range, Date.now());
    const context = { begin, end, theme: shownTheme(), width: this.body.clientWidth, height: this.body.clientHeight };
    const response = await fetch("/widget", {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Aftersend-Token": token },
      body: JSON.stringify({ layout, index: this.index, ...context, ...question }),
    }).catch(() => {
      throw new Error(`This page's server does not answer. Start \`aftersend dashboard --env ${environment}\` again.`);
    });
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    return fragment(text);
  }

  // Ask for content and show it. What is shown stays if that fails. Return whether it was shown.
  async show(question, isAnswer) {
    const number = ++this.latest;
    this.section.ariaBusy = "true";
    try {
      const content = await this.ask(question);
      if (number !== this.latest) return false;
      const failure = content.querySelector("[data-failed]");
      if (failure && this.updated) throw new Error([...failure.children].map((each) => each.textContent).join(" "));
      update(this.body, content, isAnswer);
      this.body.style.minHeight = "";
      this.updated = time();
      this.note.hidden = true;
      return true;
    } catch (error) {
      if (number === this.latest) this.fail(error.message);
      return false;
    } finally {
      if (number === this.latest) this.section.ariaBusy = "false";
    }
  }

  fail(sentence) {
    this.note.textContent = this.updated ? `${sentence} This is as of ${this.updated}.` : sentence;
    this.note.hidden = false;
    this.body.querySelector(".loading")?.remove();
  }

  refresh(isAnswer = false) {
    return this.show({ parameters: state.opened[this.name] ?? {} }, isAnswer);
  }

  get isShown() {
    const { top, bottom } = this.section.getBoundingClientRect();
    return this.name === "status" || (bottom > 0 && top < innerHeight);
  }

  get isFollowed() {
    return this.isShown && this.section.ariaBusy !== "true" && Date.now() > this.isHeldUntil;
  }

  choose(chosen) {
    const action = actionAt(chosen.target, this.body);
    if (!action) return;
    chosen.preventDefault();
    this.perform(action);
  }

  press(pressed) {
    const { target, key } = pressed;
    if (key === "Enter" && target.form && target.localName === "input") {
      pressed.preventDefault();
      const action = actionOfForm(target.form);
      if (action) this.perform(action);
    } else if ((key === "Enter" || key === " ") && target.getAttribute("role") === "button") {
      pressed.preventDefault();
      target.click();
    }
  }

  async perform(action) {
    const forms = fields(this.body);
    if (action.confirmation && !(await confirmed(action.confirmation))) return;
    if (action.html !== null) return this.put(fragment(action.html), action.isPopup);
    const { endpoint, parameters } = action;
    const elsewhere = Object.keys(parameters).length === 1 && panelNamed(parameters.panel);
    if (elsewhere && elsewhere !== this) return elsewhere.goTo();
    if (action.isPopup) return this.popup({ endpoint, parameters, forms });
    const isChange = "change" in parameters;
    if (!isChange) {
      const opened = { ...forms, ...parameters };
      state.opened = { ...state.opened, [this.name]: given(opened) };
      writeAddress(state);
    }
    const focused = document.activeElement;
    const isShown = await this.show({ endpoint, parameters, forms }, true);
    if (isShown && isChange) this.isHeldUntil = Date.now() + NOTICE_MILLISECONDS;
    if (isShown && !focused.isConnected) this.title.focus();
  }

  goTo() {
    this.section.scrollIntoView();
    this.title.focus({ preventScroll: true });
  }

  async popup(question) {
    try {
      this.put(await this.ask(question), true);
    } catch (error) {
      this.fail(error.message);
    }
  }

  put(content, isPopup) {
    const body = isPopup ? byId("popup").querySelector(".body") : this.body;
    update(body, content, true);
    if (isPopup) byId("popup").showModal();
  }
}

const panels = [...document.querySelectorAll("section[data-index]")].map((section) => new Panel(section));
const panelNamed = (name) => panels.find((panel) => panel.name === name);

async function refresh(chosen, isAnswer = false) {
  const waiting = [...chosen];
  const next = async () => {
    for (let panel = waiting.shift(); panel; panel = waiting.shift()) await panel.refresh(isAnswer);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
  byId("updated").textContent = `Updated ${time()}`;
  const sentence = document.querySelector("[data-panel=status] .banner strong")?.textContent.split(". ")[0] ?? "Aftersend";
  document.title = `${sentence} · ${environment}`;
}

async function follow() {
  const isFollowing = byId("live").checked && !document.hidden;
  if (isFollowing) await refresh(panels.filter((panel) => panel.isFollowed));
  setTimeout(follow, 1_000 * seconds);
}

function showRange() {
  const { range } = state;
  byId("range").value = range.name;
  byId("custom").hidden = range.name !== "custom";
  const [from, to] = limits(range, Date.now());
  [byId("from").value, byId("to").value] = [minute(from), minute(to)];
}

function setRange(range) {
  state.range = range;
  writeAddress(state);
  showRange();
  refresh(panels);
}

byId("range").addEventListener("change", ({ target }) => {
  if (target.value === "custom") byId("custom").hidden = false;
  else setRange({ name: target.value });
});
byId("settings").addEventListener("submit", (submitted) => {
  submitted.preventDefault();
  const [from, to] = ["from", "to"].map((id) => Date.parse(`${byId(id).value}Z`));
  byId("to").setCustomValidity(from < to ? "" : "The end must be after the beginning.");
  if (byId("to").reportValidity()) setRange({ name: "custom", from, to });
});
byId("to").addEventListener("input", () => byId("to").setCustomValidity(""));
byId("theme").addEventListener("change", ({ target }) => {
  chooseTheme(target.value);
  refresh(panels);
});
byId("refresh").addEventListener("click", () => refresh(panels));
byId("home").addEventListener("click", (chosen) => {
  chosen.preventDefault();
  state = { range: state.range, opened: {} };
  writeAddress(state);
  scrollTo(0, 0);
  refresh(panels, true);
});
addEventListener("popstate", () => {
  token = takeToken();
  state = readAddress();
  showRange();
  refresh(panels, true);
});

byId("theme").value = chosenTheme();
showRange();
await refresh(panels);
for (const name of Object.keys(state.opened)) panelNamed(name)?.section.scrollIntoView();
setTimeout(follow, 1_000 * seconds);
