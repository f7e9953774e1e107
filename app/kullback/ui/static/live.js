// A page that stays open: it is renewed when the service has something new to say.

const POLL_SECONDS = 5;

const FIELDS = ":is(form.pickers, form.search) :is(input, select)";

// The part that opens of what has an id: itself, or the first below it.
function opening(id) {
  const place = document.getElementById(id);
  return place?.matches("details") ? place : place?.querySelector("details");
}

// What is open, and where the keyboard is, stays as it was when the page is renewed.
function renew(text) {
  const fresh = new DOMParser().parseFromString(text, "text/html").getElementById("content");
  const content = document.getElementById("content");
  const parts = [...content.querySelectorAll("details")].map((part) => [part.closest("[id]").id, part.open]);
  const focused = document.activeElement?.id;
  const chosen = [...content.querySelectorAll(`${FIELDS}[id]`)].map(({ id, value }) => [id, value]);
  content.replaceChildren(...fresh.childNodes);
  parts.forEach(([id, open]) => Object.assign(opening(id) ?? {}, { open }));
  chosen.forEach(([id, value]) => Object.assign(document.getElementById(id) ?? {}, { value }));
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  document.dispatchEvent(new Event("renewed"));
}

function isChoosing() {
  return document.activeElement?.matches(FIELDS) ?? false;
}

async function poll(known) {
  const status = document.getElementById("live");
  const address = location.href;
  let tag = known;
  try {
    const answer = await fetch(address, { headers: tag ? { "if-none-match": tag } : {}, cache: "no-store" });
    if (answer.status === 200) {
      const fresh = answer.headers.get("etag");
      const waits = fresh !== tag && tag !== null && isChoosing();
      if (waits) {
        status.textContent = "Waits while you choose.";
        setTimeout(poll, POLL_SECONDS * 1000, tag);
        return;
      }
      const text = await answer.text();
      const isOld = address !== location.href; // a search went on meanwhile
      if (tag !== null && fresh !== tag && !isOld) renew(text);
      if (!isOld) tag = fresh;
    }
    status.textContent = answer.ok || answer.status === 304 ? "Live." : `Not renewed: the service answered ${answer.status}.`;
  } catch {
    status.textContent = "Not renewed: the service does not answer.";
  }
  setTimeout(poll, POLL_SECONDS * 1000, tag);
}

if (document.querySelector("main[data-live]")) poll(null);
