// Keep in the page's address what is shown: `#range=7d&recipient=reader@mail.example`.

const HOURS = { "1h": 1, "3h": 3, "24h": 24, "7d": 168, "30d": 720 };
const DEFAULT_RANGE = "24h";
const HOUR = 3_600_000;

// In an address that a person writes, `+` is the one of an e-mail address, and no blank.
const fragment = () => new URLSearchParams(location.hash.slice(1).replaceAll("+", "%2B"));

function address(given) {
  const text = `${given}`.replaceAll("+", "%20").replaceAll("%40", "@").replaceAll("%2B", "+");
  return text ? `#${text}` : location.pathname;
}

// Take the session's token out of the address that was printed, and return it, or the one that was taken before. All
// pages of this server have it: documentation opens in tabs of its own.
export function takeToken() {
  const given = fragment();
  if (given.has("token")) {
    localStorage.setItem("token", given.get("token"));
    given.delete("token");
    history.replaceState(null, "", address(given));
  }
  return localStorage.getItem("token") ?? "";
}

// Return the time range and, by panel, the parameters with which a person has opened it.
export function readAddress() {
  const given = fragment();
  const [from, to] = ["from", "to"].map((name) => Date.parse(`${given.get(name)}Z`));
  const range = from < to ? { name: "custom", from, to } : { name: HOURS[given.get("range")] ? given.get("range") : DEFAULT_RANGE };
  const opened = {};
  for (const [panel, value] of given) {
    if (["range", "from", "to", "panels"].includes(panel)) continue;
    opened[panel] = value.startsWith("?") ? Object.fromEntries(new URLSearchParams(value)) : { panel, query: value };
  }
  return { range, opened };
}

export function writeAddress({ range, opened }) {
  const given = new URLSearchParams();
  if (range.name === "custom") {
    given.set("from", minute(range.from));
    given.set("to", minute(range.to));
  } else if (range.name !== DEFAULT_RANGE) {
    given.set("range", range.name);
  }
  for (const [panel, parameters] of Object.entries(opened)) given.set(panel, short(panel, parameters));
  history.pushState(null, "", address(given));
}

// A look-up is written as what is looked up: with what was entered in the field, or with what a link names.
function short(panel, parameters) {
  const { panel: shown, query, find, entered, ...others } = parameters;
  const wanted = find ? entered : query;
  const isLookup = shown === panel && wanted && !wanted.startsWith("?") && !Object.keys(others).length;
  return isLookup ? wanted : `?${new URLSearchParams(parameters)}`;
}

// Return the beginning and the end of a time range, in milliseconds since 1970.
export function limits(range, now) {
  return range.name === "custom" ? [range.from, range.to] : [now - HOURS[range.name] * HOUR, now];
}

// Return a time as a field for times has it, in UTC.
export const minute = (time) => new Date(time).toISOString().slice(0, 16);
