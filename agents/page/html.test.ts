import { describe, expect, test } from 'vitest';
import { html, prose } from './html.ts';

const hostile = `<img src=x onerror="alert('1')">&`;
const escaped = '&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;';

describe('html', () => {
  test('escapes what it is given, in text and in attributes', () => {
    expect(html`<p title="${hostile}">${hostile}</p>`.text).toBe(`<p title="${escaped}">${escaped}</p>`);
  });

  test('takes over what a template made, alone or in lists', () => {
    const items = [hostile, 'b'].map((item) => html`<li>${item}</li>`);
    expect(html`<ul>${items}${html`<li>${3}</li>`}</ul>`.text).toBe(`<ul><li>${escaped}</li><li>b</li><li>3</li></ul>`);
  });

  test('leaves out what is undefined', () => {
    expect(html`a${undefined}b`.text).toBe('ab');
  });

  test('escapes inside of what is shown as something to type', () => {
    expect(prose('Run `a <b>` & wait.').text).toBe('Run <code>a &lt;b&gt;</code> &amp; wait.');
  });
});
