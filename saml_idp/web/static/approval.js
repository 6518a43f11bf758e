// The approval page: count down, ask the server for news of this login, go on when there are any.
// The server only says "pending", "decided" or "over"; the finish form leads to the page that fits.

const own = document.getElementById("approval").dataset;
const status = document.getElementById("status");
const spoken = document.getElementById("spoken");
const clock = document.getElementById("clock");
const progress = document.getElementById("progress");
const finish = document.getElementById("finish");
const SPEAK_AT_SECONDS = 30;

let interval = Math.max(1, Number(own.pollSeconds));
let finished = false;
let saidTime = false;
let timer = 0;

function tell(text, aloud) {
  if (status && status.textContent !== text) status.textContent = text;
  if (aloud && spoken.textContent !== text) spoken.textContent = text;
}

function goOn(text) {
  if (finished) return;
  finished = true;
  clearTimeout(timer);
  tell(text, true);
  finish.submit();
}

async function look() {
  clearTimeout(timer);
  if (finished) return;
  let wait = interval;
  try {
    const answer = await fetch(own.pollUrl, {
      cache: "no-store",
      headers: { Accept: "application/json" },
      signal: AbortSignal.timeout?.(15000),
    });
    if (answer.ok) {
      const { status: news, interval: told } = await answer.json();
      interval = Math.max(1, Number(told) || interval);
      wait = interval;
      if (news !== "pending") return goOn(own.answered);
      tell(own.waiting, spoken.textContent === own.offline);
    } else if (answer.status === 429) {
      wait = Math.max(interval, Number(answer.headers.get("Retry-After")) || 10);
    } else if (answer.status < 500) {
      return goOn(own.answered); // not our login any more: the server shows what has become of it
    } else {
      wait = interval * 2;
    }
  } catch {
    tell(own.offline, true);
    wait = interval * 2;
  }
  timer = setTimeout(look, wait * 1000);
}

function countDown(until) {
  if (finished) return;
  const seconds = Math.max(0, Math.ceil((until - performance.now()) / 1000));
  clock.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  progress.value = seconds;
  if (seconds === 0) return setTimeout(goOn, 1500, own.over); // the server's clock goes first
  if (seconds <= SPEAK_AT_SECONDS && !saidTime) {
    saidTime = true;
    spoken.textContent = own.spoken.replace("{seconds}", String(seconds));
  }
  setTimeout(countDown, 1000, until);
}

if (clock && own.secondsLeft) countDown(performance.now() + Number(own.secondsLeft) * 1000);
timer = setTimeout(look, interval * 1000);

// Coming back from the approval app in another tab: look at once.
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") look();
});
