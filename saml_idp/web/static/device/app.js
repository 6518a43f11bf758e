// The phone web app: keeps this device's IDs, looks for questions while it is visible, shows them.

import { ask, close, openApproval, reasonOf, refresh } from "./approval.js";
import { CallFailed, approvalsOf, retire } from "./calls.js";
import { invite, welcome } from "./enrolment.js";
import { confirmed, element, show, shown, write } from "./screens.js";
import { allIds } from "./store.js";
import { text } from "./texts.js";

const DEFAULT_INTERVAL_SECONDS = 3;

let ids = [];
let link = null; // {approval, symbols} from a scanned code
let timer = 0;
let looking = false;

/** Go where the part of the address after "#" leads, and clear it: it holds a code or symbols. */
function followLink() {
  const given = new URLSearchParams(location.hash.slice(1));
  if (location.hash) history.replaceState(null, "", location.pathname + location.search);
  const code = given.get("enrol");
  const approval = given.get("approval");
  if (code === null && approval === null) return false;
  close();
  if (code !== null) {
    invite(code, afterEnrolment);
  } else {
    link = { approval, symbols: given.get("symbols") ?? "" };
    goHome();
  }
  return true;
}

async function afterEnrolment({ id, trial }) {
  navigator.storage?.persist?.(); // asks the browser not to clear the key away
  ids = await allIds();
  if (trial) ask(id, trial, "", tellResult);
  else tell("granted", "device.enrol.done_title", "device.enrol.done", { identity: id.identity });
}

function goHome() {
  if (ids.length === 0) {
    welcome(afterEnrolment, false);
    return;
  }
  drawIds();
  show("home");
  look();
}

function drawIds() {
  const items = ids.map((id) => {
    const item = element("id-item").content.cloneNode(true).firstElementChild;
    item.querySelector(".identity").textContent = id.identity;
    item.querySelector(".at").textContent = text("device.id_at", { idp: id.idpName });
    item.querySelector(".known-as").textContent = text("device.known_as", { name: id.deviceName });
    const notice = item.querySelector(".note");
    notice.hidden = !id.retired;
    notice.textContent = text("device.retired", { identity: id.identity });
    item.querySelector("button").addEventListener("click", () => removeId(id));
    return item;
  });
  element("ids").replaceChildren(...items);
}

async function removeId(id) {
  element("remove-title").textContent = text("device.remove.title", { identity: id.identity });
  if (!(await confirmed("remove"))) return;
  try {
    await retire(id);
    ids = await allIds();
    goHome();
    element("home-spoken").textContent = text("device.removed");
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error;
    write("home-error", text(reasonOf(error), { seconds: error.retryAfter }));
  }
}

/** Ask the server for the questions to every ID of this device. */
async function look() {
  clearTimeout(timer);
  if (looking || document.visibilityState !== "visible" || ids.length === 0) return;
  looking = true;
  const news = { questions: [], interval: 0, offline: false };
  try {
    for (const id of ids.filter((each) => !each.retired)) await lookFor(id, news);
  } finally {
    looking = false;
    timer = setTimeout(look, (news.interval || DEFAULT_INTERVAL_SECONDS) * 1000);
  }
  write("home-error", news.offline ? text("device.offline") : "");
  if (!news.offline) take(news.questions);
}

async function lookFor(id, news) {
  try {
    const { approvals, interval } = await approvalsOf(id);
    news.questions.push(...approvals.map((approval) => ({ id, approval })));
    news.interval = Math.max(1, news.interval, Number(interval) || 0);
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error;
    if (error.code === "unknown_device") {
      id.retired = true;
      drawIds();
    } else {
      news.offline = true;
      news.interval = Math.max(5, news.interval, error.retryAfter);
    }
  }
}

function take(questions) {
  const current = openApproval();
  if (current) keepUp(current, questions);
  else if (shown() === "home") openNext(questions); // nothing changes under a person's fingers
  const open = openApproval();
  const others = questions.filter(({ approval }) => approval.approval !== open?.approval);
  write("approval-more", others.length ? text("device.more", { count: others.length }) : "");
}

function keepUp(current, questions) {
  const still = questions.find(({ approval }) => approval.approval === current.approval);
  if (still) refresh(still.approval);
  else if (!document.body.dataset.busy) {
    close();
    tellResult("over", current);
  }
}

function openNext(questions) {
  const wanted = link && questions.find(({ approval }) => approval.approval === link.approval);
  const symbols = wanted ? link.symbols : "";
  const missed = link && !wanted;
  link = null;
  const next = wanted ?? questions[0];
  if (next) ask(next.id, next.approval, symbols, tellResult);
  else if (missed) tell("over", "device.result.unknown.title", "device.result.unknown.text");
}

function tellResult(result, approval) {
  const known = ["granted", "denied", "not_me", "failed"].includes(result) ? result : "over";
  const word = approval?.trial && known === "granted" ? "trial" : known;
  if (approval?.trial && known === "denied") goHome();
  else tell(known, `device.result.${word}.title`, `device.result.${word}.text`);
}

function tell(kind, title, words, values = {}) {
  for (const sign of element("result-signs").children) sign.hidden = sign.dataset.sign !== kind;
  element("result-title").textContent = text(title);
  element("result-text").textContent = text(words, values);
  show("result");
}

function isFit() {
  return Boolean(globalThis.isSecureContext && crypto.subtle && globalThis.indexedDB);
}

async function start() {
  if (!isFit()) {
    show("unfit");
    return;
  }
  try {
    ids = await allIds();
  } catch {
    show("unfit"); // a private window may refuse to store anything
    return;
  }
  element("result-done").addEventListener("click", goHome);
  element("add-id").addEventListener("click", () => welcome(afterEnrolment, true));
  element("welcome-cancel").addEventListener("click", goHome);
  element("enrol-cancel").addEventListener("click", goHome);
  window.addEventListener("hashchange", followLink);
  document.addEventListener("visibilitychange", look);
  window.addEventListener("online", look);
  if (!followLink()) goHome();
  navigator.serviceWorker?.register(document.body.dataset.worker).catch(() => {});
}

start();
