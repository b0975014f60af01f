// Put the HTML of a widget on the page: without what CloudWatch removes, and without touching what stays the same.

const REMOVED = "script, style, iframe, frame, object, embed, use, foreignObject, link, meta, base, template";
const ADDRESSES = new Set(["href", "src", "xlink:href", "formaction"]);
const SAFE_ADDRESS = /^(https?:\/\/|mailto:|\/(?!\/)|#)/i;
const STATE = new Set(["open", "value", "checked", "selected"]); // what a person may have changed

// Return HTML as a fragment, without scripts, handlers and addresses that run something.
export function fragment(html) {
  const { body } = new DOMParser().parseFromString(html, "text/html");
  for (const element of body.querySelectorAll(REMOVED)) element.remove();
  for (const element of body.querySelectorAll("*")) {
    for (const { name, value } of [...element.attributes]) {
      const isUnsafe = name.startsWith("on") || (ADDRESSES.has(name) && !SAFE_ADDRESS.test(value));
      if (isUnsafe) element.removeAttribute(name);
    }
  }
  const content = document.createDocumentFragment();
  content.append(...body.childNodes);
  return content;
}

// Make the children of an element those of a fragment. Nodes that are in both stay, with focus, selection and what was
// entered. With `isAnswer`, what was entered or opened becomes what the fragment has.
export function update(parent, wanted, isAnswer) {
  let next = parent.firstChild;
  for (const node of [...wanted.childNodes]) {
    const kept = find(next, node);
    if (!kept) {
      parent.insertBefore(node, next);
      continue;
    }
    next = place(parent, kept, next);
    change(kept, node, isAnswer);
  }
  while (next) {
    const removed = next;
    next = next.nextSibling;
    removed.remove();
  }
}

function find(first, node) {
  const wanted = identity(node);
  let candidate = first;
  while (candidate && identity(candidate) !== wanted) candidate = candidate.nextSibling;
  return candidate;
}

// What makes two nodes the same one: a row has its heading, a field its name, an action's text its parameters.
function identity(node) {
  if (node.nodeType !== Node.ELEMENT_NODE) return node.nodeName;
  const heading = { TR: "th, td", DETAILS: "summary", FORM: "a" }[node.nodeName];
  const text = heading ? node.querySelector(heading)?.textContent : "";
  return [node.nodeName, node.id, node.getAttribute("name"), node.getAttribute("class"), text].join(" ");
}

// Move a node before another, and return what comes after it. A node in use is not moved, as it would lose the focus.
function place(parent, kept, next) {
  if (kept === next) return kept.nextSibling;
  if (isInUse(kept)) {
    while (next !== kept) {
      const moved = next;
      next = next.nextSibling;
      parent.append(moved);
    }
    return kept.nextSibling;
  }
  parent.insertBefore(kept, next);
  return next;
}

function isInUse(node) {
  return node.contains(document.activeElement) || node.contains(getSelection().anchorNode);
}

function change(kept, node, isAnswer) {
  if (kept.nodeType !== Node.ELEMENT_NODE) {
    if (kept.data !== node.data) kept.data = node.data;
    return;
  }
  for (const { name } of [...kept.attributes]) {
    if (!node.hasAttribute(name) && (isAnswer || !STATE.has(name))) kept.removeAttribute(name);
  }
  for (const { name, value } of node.attributes) {
    if (kept.getAttribute(name) !== value && (isAnswer || !STATE.has(name))) kept.setAttribute(name, value);
  }
  update(kept, node, isAnswer);
  if (isAnswer && "defaultValue" in kept) kept.value = node.defaultValue;
  if (isAnswer && kept.nodeName === "SELECT") kept.value = node.value;
}
