// One question: who asks, from where; the symbols; the answer, signed by the device's key.

import { CallFailed, answerApproval } from "./calls.js";
import { confirmed, element, show, write } from "./screens.js";
import { Entry } from "./symbols.js";
import { text } from "./texts.js";

const SPEAK_AT_SECONDS = 30;

let open = null; // {id, approval, entry, until, timer, busy, ended}

/** Return the approval that is on the screen, or null. */
export function openApproval() {
  return open?.approval ?? null;
}

/**
 * Show *approval* of *id* with *symbols* entered already (from a scan, else "").
 * *ended* is called once, with the result's word.
 */
export function ask(id, approval, symbols, ended) {
  close();
  open = { id, approval, ended, busy: false, timer: 0, saidTime: false };
  open.until = performance.now() + approval.expires_in * 1000;
  describe(approval);
  const count = approval.symbols_count;
  element("entry").hidden = count === 0;
  open.entry = new Entry(count, (row, full) => ready(full));
  if (count > 0 && symbols.length === count) open.entry.fill(symbols);
  const scanned = count > 0 && open.entry.row.length === count;
  showGrid(!scanned);
  instruct(count, scanned);
  countDown();
  show("approval");
}

/** Take the question off the screen without an answer. */
export function close() {
  if (open) clearTimeout(open.timer);
  open = null;
}

/** Bring what may change while the question is open up to date. */
export function refresh(approval) {
  if (!open || open.approval.approval !== approval.approval) return;
  element("approval-other").hidden = !approval.other_browser_waiting;
}

function describe(approval) {
  const trial = approval.trial;
  element("approval-title").textContent = text(
    trial ? "device.trial.title" : "device.approval.title",
  );
  element("approval-service").hidden = trial;
  element("approval-facts").hidden = trial;
  element("approval-not-me").hidden = trial;
  element("approval-trial").hidden = !trial;
  element("approval-provider").textContent = approval.provider_name;
  element("approval-id").textContent = approval.id;
  element("approval-place").textContent = approval.place || "–";
  element("approval-browser").textContent = approval.browser || "–";
  element("approval-at").textContent = new Date(approval.requested_at).toLocaleTimeString(
    document.documentElement.lang,
    { hour: "2-digit", minute: "2-digit" },
  );
  element("approval-other").hidden = !approval.other_browser_waiting;
  element("approval-progress").max = approval.expires_in;
  element("approve").textContent = text(
    trial ? "device.trial.approve" : "device.approval.approve",
  );
  element("deny").textContent = text(trial ? "device.trial.later" : "device.approval.deny");
  write("approval-error", "");
}

function instruct(count, scanned) {
  let key = count === 1 ? "device.approval.tap_one" : "device.approval.tap";
  if (scanned) key = "device.approval.scanned";
  element("entry-how").textContent = text(key, { count });
}

function showGrid(visible) {
  element("entry-choices").hidden = !visible;
}

function ready(full) {
  const approve = element("approve");
  approve.setAttribute("aria-disabled", String(!full));
  if (!full && element("entry-choices").hidden) {
    showGrid(true);
    instruct(open.approval.symbols_count, false);
  }
}

function countDown() {
  const seconds = Math.max(0, Math.ceil((open.until - performance.now()) / 1000));
  element("approval-clock").textContent =
    `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  element("approval-progress").value = seconds;
  if (seconds <= SPEAK_AT_SECONDS && !open.saidTime) {
    open.saidTime = true;
    element("entry-spoken").textContent = text("device.approval.seconds_left", { seconds });
  }
  if (seconds === 0 && !open.busy) end("over");
  else open.timer = setTimeout(countDown, 1000);
}

function end(result) {
  const { ended, approval } = open;
  close();
  ended(result, approval);
}

async function answer(verdict) {
  if (!open || open.busy) return;
  const question = open;
  if (verdict === "approve" && question.entry.row.length < question.approval.symbols_count) return;
  question.busy = true;
  document.body.dataset.busy = "true";
  write("approval-error", "");
  try {
    const row = question.entry.row;
    const result = await answerApproval(question.id, question.approval, verdict, row);
    if (open === question) end(verdict === "not-me" && result === "denied" ? "not_me" : result);
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error;
    if (open !== question) return;
    question.busy = false;
    if (error.code === "over" || error.code === "not_found") end("over");
    else write("approval-error", text(reasonOf(error), { seconds: error.retryAfter }));
  } finally {
    delete document.body.dataset.busy;
  }
}

/** Return the key of the text that tells a person what went wrong. */
export function reasonOf(error) {
  if (error.code === "offline" || error.code === "store_unavailable") return "device.error.offline";
  if (error.code === "throttled" && error.retryAfter) return "device.error.throttled";
  if (error.code === "out_of_date") return "device.error.clock";
  return "device.error.other";
}

element("approve").addEventListener("click", () => answer("approve"));
element("deny").addEventListener("click", () => answer("deny"));
element("approval-not-me").addEventListener("click", async () => {
  if (await confirmed("not-me")) answer("not-me");
});
element("entry-type").addEventListener("click", () => {
  const field = element("entry-field");
  field.hidden = false;
  element("entry-type").hidden = true;
  element("entry-typed").focus();
});
document.addEventListener("keydown", (event) => {
  if (!open || open.busy || open.approval.symbols_count === 0) return;
  const full = open.entry.row.length === open.approval.symbols_count;
  if (event.key === "Enter" && full && !event.target.closest("button, dialog")) {
    element("approve").focus(); // the answer itself wants one more, deliberate press
    event.preventDefault();
    return;
  }
  if (event.target.closest("input, dialog")) return;
  if (open.entry.press(event)) event.preventDefault();
});
