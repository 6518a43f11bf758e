// The page's texts, in the language the server chose.

const TEXTS = JSON.parse(document.getElementById("texts").textContent);

/** Return the text of *key* with *values* put in for its {name} marks. */
export function text(key, values = {}) {
  return TEXTS[key].replace(/\{(\w+)\}/g, (mark, name) => values[name] ?? mark);
}
