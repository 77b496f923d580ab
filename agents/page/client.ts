/**
 * The script of the page, served as a file of its own. It knows nothing about devices: it puts in what the server
 * renders, keeping focus and what is unfolded, and it has no clock, because ages are counted where the device counts.
 */
export const clientScript = `const announcer = document.getElementById('announcer');
const page = document.getElementById('page');
const live = document.getElementById('live');

// Trusted Types: this policy is the only way from text to HTML, and only this server's events go through it.
const policy = globalThis.trustedTypes?.createPolicy('enigm-page', { createHTML: (text) => text }) ?? {
  createHTML: (text) => text,
};

const isSame = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && (a.id ?? '') === (b.id ?? '');

const morph = (present, wanted) => {
  if (present.nodeType !== Node.ELEMENT_NODE) {
    if (present.data !== wanted.data) present.data = wanted.data;
    return;
  }
  for (const { name } of [...present.attributes])
    if (name !== 'open' && !wanted.hasAttribute(name)) present.removeAttribute(name);
  for (const { name, value } of wanted.attributes)
    if (present.getAttribute(name) !== value) present.setAttribute(name, value);
  morphChildren(present, wanted);
};

const morphChildren = (present, wanted) => {
  let next = present.firstChild;
  for (const child of [...wanted.childNodes]) {
    const kept = child.id ? [...present.children].find(({ id }) => id === child.id) : next;
    if (kept && isSame(kept, child)) {
      if (kept === next) next = next.nextSibling;
      else present.insertBefore(kept, next);
      morph(kept, child);
    } else present.insertBefore(child, next);
  }
  while (next) {
    const rest = next.nextSibling;
    next.remove();
    next = rest;
  }
};

const show = (state) => {
  for (const text of live.querySelectorAll('[data-when]')) text.hidden = text.dataset.when !== state;
  live.dataset.state = state;
};

const say = (text) => {
  if (text) announcer.textContent = text;
};

const events = new EventSource('/events');

events.addEventListener('page', ({ data }) => {
  const { title, html, announcement } = JSON.parse(data);
  const focused = document.activeElement?.id;
  const parsed = new DOMParser().parseFromString(policy.createHTML(html), 'text/html');
  morphChildren(page, parsed.body);
  document.title = title;
  if (focused && document.activeElement?.id !== focused) document.getElementById(focused)?.focus({ preventScroll: true });
  say(announcement);
});

events.addEventListener('ages', ({ data }) => {
  for (const [id, text] of JSON.parse(data)) {
    const age = document.getElementById(id);
    if (age) age.textContent = text;
  }
});

events.addEventListener('open', () => show('live'));
events.addEventListener('error', () => {
  const state = events.readyState === EventSource.CLOSED ? 'ended' : 'lost';
  if (live.dataset.state === state) return;
  show(state);
  say(live.querySelector('[data-when="' + state + '"]').textContent);
});
`;
