// Actions: forms that change something by the API, as whoever looks may.

function written(form) {
  const body = {};
  for (const field of form.elements) {
    if (!field.name || !field.value) continue;
    body[field.name] = field.type === "datetime-local" ? inUtc(field.value) : field.value;
  }
  return body;
}

function inUtc(local) {
  return `${local.length === 16 ? `${local}:00` : local}Z`;
}

function refuse(form, words) {
  let place = form.querySelector("[role='alert']");
  if (!place) {
    place = document.createElement("p");
    place.className = "state bad";
    place.setAttribute("role", "alert");
    form.append(place);
  }
  place.textContent = words;
}

async function said(answer) {
  try {
    const problem = await answer.json();
    return problem.errors?.[0]?.detail ?? problem.detail ?? problem.title;
  } catch {
    return `the service answered ${answer.status}`;
  }
}

async function send(form) {
  const { method, then } = form.dataset;
  const body = written(form);
  const hasBody = method !== "DELETE";
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    const answer = await fetch(form.action, {
      method,
      headers: hasBody ? { "content-type": "application/json" } : {},
      body: hasBody ? JSON.stringify(body) : undefined,
    });
    if (!answer.ok) return refuse(form, await said(answer));
    if (then) location.assign(then);
    else location.reload();
  } catch {
    refuse(form, "The service does not answer.");
  } finally {
    button.disabled = false;
  }
}

addEventListener("submit", (event) => {
  if (!event.target.matches("form.action")) return;
  event.preventDefault();
  send(event.target);
});
