// The overview as its search is typed: the service chooses, and the address keeps what was typed.

const PAUSE = 200;
const content = document.getElementById("content");
let waiting = 0;
let caret = null;

function address(words) {
  const to = new URL(location.href);
  if (words.trim()) to.searchParams.set("q", words);
  else to.searchParams.delete("q");
  for (const part of ["page", "arms"]) to.searchParams.delete(part);
  return to;
}

async function search() {
  const to = address(document.getElementById("q").value);
  history.replaceState(null, "", to);
  const answer = await fetch(to, { cache: "no-store" });
  if (!answer.ok || to.href !== location.href) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("rows");
  document.getElementById("rows").replaceChildren(...fresh.childNodes);
  document.dispatchEvent(new Event("renewed"));
}

content.addEventListener("input", ({ target }) => {
  if (target.id !== "q") return;
  clearTimeout(waiting);
  waiting = setTimeout(search, PAUSE);
});

document.addEventListener("selectionchange", () => {
  const field = document.activeElement;
  if (field?.id === "q") caret = [field.selectionStart, field.selectionEnd];
});

// A page that was renewed has a field of its own: what is typed goes on where it was.
new MutationObserver(() => {
  const field = document.activeElement;
  if (field?.id === "q" && caret) field.setSelectionRange(...caret);
}).observe(content, { childList: true });
