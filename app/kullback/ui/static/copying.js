// Buttons that copy: the text of an element, or where a link leads.

const SECONDS = 4;

function textOf(element) {
  return element.matches("a[href]") ? element.href : element.textContent.trim();
}

// Without a secure context there is no clipboard: what is selected is copied as by hand.
async function copy(text) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const area = Object.assign(document.createElement("textarea"), { value: text, readOnly: true });
  document.body.append(area);
  area.select();
  const isDone = document.execCommand("copy");
  area.remove();
  if (!isDone) throw new Error("the browser did not copy");
}

async function act({ target }) {
  const button = target.closest?.("button[data-copies]");
  if (!button) return;
  const said = (words) => {
    const status = document.getElementById("copied");
    if (status) status.textContent = words;
  };
  try {
    await copy(textOf(document.getElementById(button.dataset.copies)));
    said("Copied.");
  } catch {
    said("Not copied: the browser does not allow it.");
  }
  button.focus();
  setTimeout(said, SECONDS * 1000, "");
}

document.documentElement.classList.add("copies-here");
addEventListener("click", act);
