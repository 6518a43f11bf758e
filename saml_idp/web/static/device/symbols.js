// The grid of all symbols in a fresh random order, and the row that was entered.

import { text } from "./texts.js";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const NAMES = JSON.parse(document.getElementById("symbol-names").textContent);
const SPRITE = document.body.dataset.symbols;
const SVG = "http://www.w3.org/2000/svg";
const LOOK_ALIKES = { 0: "O", 1: "I" }; // no symbol is a nought or a one: whoever types it means these

/** Return the symbol that *key* stands for, or "". */
export function symbolOf(key) {
  const character = key.toUpperCase();
  const meant = LOOK_ALIKES[character] ?? character;
  return meant.length === 1 && ALPHABET.includes(meant) ? meant : "";
}

/** Return *characters* with everything that is no symbol left out. */
export function cleaned(characters) {
  return [...characters].map(symbolOf).join("");
}

/** Return the alphabet shuffled (Fisher and Yates), each order equally likely. */
export function shuffled() {
  const order = [...ALPHABET];
  for (let last = order.length - 1; last > 0; last -= 1) {
    const other = below(last + 1);
    [order[last], order[other]] = [order[other], order[last]];
  }
  return order;
}

function below(bound) {
  const limit = 256 - (256 % bound); // above it some numbers would come more often than others
  const byte = new Uint8Array(1);
  do crypto.getRandomValues(byte);
  while (byte[0] >= limit);
  return byte[0] % bound;
}

function drawn(character) {
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${SPRITE}#s-${character}`);
  picture.append(use);
  const letter = document.createElement("span");
  letter.className = "character";
  letter.textContent = character;
  return [picture, letter];
}

function spoken(character) {
  return `${character}, ${NAMES[character]}`;
}

/**
 * Lets a person enter *count* symbols by tapping, typing on a keyboard, or in the text field.
 * Calls *changed* with the row whenever it differs.
 */
export class Entry {
  #row = "";
  #count;
  #changed;
  #part = (name) => document.getElementById(`entry-${name}`);

  constructor(count, changed) {
    this.#count = count;
    this.#changed = changed;
    const grid = this.#part("grid");
    grid.replaceChildren(...shuffled().map((character) => this.#button(character)));
    const slots = Array.from({ length: count }, () => document.createElement("li"));
    this.#part("slots").replaceChildren(...slots);
    this.#part("undo").onclick = () => this.undo();
    const typed = this.#part("typed");
    typed.value = "";
    typed.maxLength = count;
    typed.oninput = () => {
      typed.value = cleaned(typed.value).slice(0, count);
      this.fill(typed.value);
    };
    this.#draw();
  }

  get row() {
    return this.#row;
  }

  /** Take *characters* for the whole row, as a scan brings them. */
  fill(characters) {
    this.#row = cleaned(characters).slice(0, this.#count);
    this.#draw();
  }

  add(character) {
    if (this.#row.length >= this.#count) return;
    this.#row += character;
    this.#draw();
    this.#say("device.approval.entered", { symbol: spoken(character) });
  }

  undo() {
    if (this.#row === "") return;
    this.#row = this.#row.slice(0, -1);
    this.#draw();
    this.#say("device.approval.undone");
  }

  /** Take a key press from anywhere on the page; return true when it was for us. */
  press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    if (event.key === "Backspace") this.undo();
    else if (symbolOf(event.key)) this.add(symbolOf(event.key));
    else return false;
    return true;
  }

  #button(character) {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.character = character;
    button.setAttribute("aria-label", spoken(character));
    button.append(...drawn(character));
    button.onclick = () => this.add(character);
    return button;
  }

  #say(key, values = {}) {
    const said = { number: this.#row.length, count: this.#count, ...values };
    this.#part("spoken").textContent = text(key, said);
  }

  #draw() {
    [...this.#part("slots").children].forEach((slot, place) => {
      const character = this.#row[place];
      slot.className = place === this.#row.length ? "next" : "";
      slot.replaceChildren(...(character ? drawn(character) : []));
      if (character) {
        const name = document.createElement("span");
        name.className = "visually-hidden";
        name.textContent = NAMES[character];
        slot.append(name);
      }
    });
    const typed = this.#part("typed");
    if (typed.value !== this.#row) typed.value = this.#row;
    const full = this.#row.length === this.#count;
    this.#part("undo").setAttribute("aria-disabled", String(this.#row === ""));
    for (const button of this.#part("grid").children) {
      if (full) button.setAttribute("aria-disabled", "true");
      else button.removeAttribute("aria-disabled");
    }
    this.#changed(this.#row, full);
  }
}
