// A page that stays open: it is renewed when the service has something new to say.

const POLL_SECONDS = 5;

// What is open, and where the keyboard is, stays as it was when the page is renewed.
function renew(text) {
  const fresh = new DOMParser().parseFromString(text, "text/html").getElementById("content");
  const content = document.getElementById("content");
  const open = [...content.querySelectorAll("details[open]")].map((part) => part.closest("[id]")?.id);
  const focused = document.activeElement?.id;
  const chosen = [...content.querySelectorAll("form.pickers :is(input, select)[id]")].map(({ id, value }) => [id, value]);
  content.replaceChildren(...fresh.childNodes);
  open.forEach((id) => id && document.getElementById(id)?.querySelector("details")?.setAttribute("open", ""));
  chosen.forEach(([id, value]) => Object.assign(document.getElementById(id) ?? {}, { value }));
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  document.dispatchEvent(new Event("renewed"));
}

function isChoosing() {
  return document.activeElement?.matches("form.pickers :is(input, select)") ?? false;
}

async function poll(known) {
  const status = document.getElementById("live");
  let tag = known;
  try {
    const answer = await fetch(location.href, { headers: tag ? { "if-none-match": tag } : {}, cache: "no-store" });
    if (answer.status === 200) {
      const fresh = answer.headers.get("etag");
      const waits = fresh !== tag && tag !== null && isChoosing();
      if (waits) {
        status.textContent = "Waits while you choose.";
        setTimeout(poll, POLL_SECONDS * 1000, tag);
        return;
      }
      if (tag !== null && fresh !== tag) renew(await answer.text());
      tag = fresh;
    }
    status.textContent = answer.ok || answer.status === 304 ? "Live." : `Not renewed: the service answered ${answer.status}.`;
  } catch {
    status.textContent = "Not renewed: the service does not answer.";
  }
  setTimeout(poll, POLL_SECONDS * 1000, tag);
}

if (document.querySelector("main[data-live]")) poll(null);
