// Find what happens when something in a widget is chosen ("Interactivity in the custom widget in CloudWatch").

// Return the action of the element that was chosen, or null: it is in the `cwdb-action` after that element.
export function actionAt(target, boundary) {
  for (let element = target; element && element !== boundary; element = element.parentElement) {
    const action = element.nextElementSibling;
    if (action?.localName === "cwdb-action") return read(action);
  }
  return null;
}

// Return the action that Enter in a field stands for: the first one of its form.
export function actionOfForm(form) {
  const action = form.querySelector("cwdb-action");
  return action && read(action);
}

function read(action) {
  const attribute = (name) => action.getAttribute(name) ?? "";
  const isCall = attribute("action") === "call";
  return {
    endpoint: attribute("endpoint"),
    parameters: isCall ? texts(JSON.parse(action.textContent || "{}")) : {},
    html: isCall ? null : action.innerHTML,
    confirmation: attribute("confirmation"),
    isPopup: attribute("display") === "popup" || !attribute("display"),
  };
}

const texts = (parameters) => Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, `${value}`]));

// Return what is entered in all forms of a widget.
export function fields(widget) {
  const given = {};
  for (const field of widget.querySelectorAll("input, select, textarea")) {
    const isLeftOut = !field.name || (["checkbox", "radio"].includes(field.type) && !field.checked);
    if (!isLeftOut) given[field.name] = field.value;
  }
  return given;
}

// Ask for confirmation, and return whether it was given.
export function confirmed(question) {
  const dialog = document.getElementById("confirmation");
  dialog.querySelector("p").textContent = question;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
