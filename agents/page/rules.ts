/** What is asked of every request before anything else is looked at, and what every answer carries. */

/** What the rules see of a request. */
export interface PageRequest {
  readonly method: string;
  /** Path and query, as sent. */
  readonly target: string;
  /** Every `Host` field, because a second one is an attack. */
  readonly hosts: readonly string[];
  readonly cookie: string | undefined;
  /** `Sec-Fetch-Site`, where the browser sends it. */
  readonly fetchSite: string | undefined;
  readonly lastEventId: string | undefined;
  readonly hasBody: boolean;
}

export interface Refusal {
  readonly status: 400 | 403 | 405 | 413 | 414 | 421;
  readonly headers?: Readonly<Record<string, string>>;
}

export const maxTargetLength = 128;
export const maxHeaderBytes = 8 * 1024;
export const address = '127.0.0.1';

/** @returns why the request is refused, or undefined where it may go on */
export const refusalOf = (request: PageRequest, port: number): Refusal | undefined => {
  // DNS rebinding: a foreign name may lead to this address, but then the browser says that name here.
  const [host] = request.hosts;
  if (request.hosts.length !== 1) return { status: 400 };
  if (host !== `${address}:${port}` && host !== `localhost:${port}`) return { status: 421 };
  // Fetch Metadata: SameSite does not tell ports apart, so a page of another local server would count as our own.
  if (request.fetchSite !== undefined && request.fetchSite !== 'same-origin' && request.fetchSite !== 'none')
    return { status: 403 };
  if (request.method !== 'GET' && request.method !== 'HEAD') return { status: 405, headers: { allow: 'GET, HEAD' } };
  if (request.hasBody) return { status: 413 };
  if (request.target.length > maxTargetLength) return { status: 414 };
  return undefined;
};

/** For everything that leaves: nothing is kept, framed, sniffed, referred to or read by another origin. */
export const commonHeaders: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** For what is no document, and for refusals. */
export const closedPolicy = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/**
 * Content Security Policy Level 3 for a document: its one script and its one style sheet by nonce, its own events, its
 * own icon; and text becomes HTML only through the policy of its client (Trusted Types).
 */
export const documentPolicy = (nonce: string): string =>
  [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    "connect-src 'self'",
    "img-src 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    'trusted-types enigm-page',
  ].join('; ');
