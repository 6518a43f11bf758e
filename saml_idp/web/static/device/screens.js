// One screen at a time; what is shown, and where the focus goes.

const SCREENS = [...document.querySelectorAll("[data-screen]")];
const TITLE = document.title;

/** Return the element whose id is *name*. */
export function element(name) {
  return document.getElementById(name);
}

/** Return the name of the screen that is shown. */
export function shown() {
  return SCREENS.find((screen) => !screen.hidden)?.dataset.screen;
}

/** Show the screen *name* and move the focus to its heading, so that it is read out. */
export function show(name) {
  if (shown() === name) return;
  for (const screen of SCREENS) screen.hidden = screen.dataset.screen !== name;
  document.body.dataset.shows = name;
  window.scrollTo(0, 0);
  const heading = element(`${name}-title`);
  document.title = heading ? `${heading.textContent} · ${TITLE}` : TITLE;
  heading?.focus({ preventScroll: true });
}

/** Put *value* into the element *name* as text; an empty value hides it. */
export function write(name, value) {
  const target = element(name);
  target.textContent = value;
  target.hidden = !value;
}

/** Ask with the dialog *name*; resolve to true when its yes button was pressed. */
export function confirmed(name) {
  const dialog = element(name);
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
