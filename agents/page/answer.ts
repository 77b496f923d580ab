/** What a request is answered with: a table of paths behind the rules and the doorway. No sockets here. */
import type { Random } from '#hal/ports/random';
import type { Board } from './board.ts';
import { clientScript } from './client.ts';
import { documentOf, refusedDocument } from './document.ts';
import type { Doorway } from './doorway.ts';
import { favicon } from './icons.ts';
import { closedPolicy, commonHeaders, documentPolicy, type PageRequest, refusalOf } from './rules.ts';
import { styleSheet } from './style.ts';

export interface PageAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Server-sent events follow, until one side ends them. */
  readonly isStream?: true;
}

export interface AnswerParts {
  readonly board: Board;
  readonly doorway: Doorway;
  readonly random: Random;
  /** Renews what is old before it is shown. */
  readonly renew: () => Promise<void>;
}

const openPath = '/open/';
const nonceBytes = 18;

/** The path of a link that can be used once. */
export const linkPath = (token: string): string => `${openPath}${token}`;

export const answerTo = async (request: PageRequest, port: number, parts: AnswerParts): Promise<PageAnswer> => {
  const refusal = refusalOf(request, port);
  if (refusal !== undefined) return plain(refusal.status, '', refusal.headers);
  const fixed = Object.hasOwn(fixedFiles, request.target) ? fixedFiles[request.target] : undefined;
  if (fixed !== undefined) return plain(200, fixed.text, { 'content-type': fixed.type });
  if (request.target.startsWith(openPath)) return opened(request, parts);
  const show = Object.hasOwn(views, request.target) ? views[request.target] : undefined;
  if (show === undefined) return plain(404, '');
  return parts.doorway.admits(request.cookie) ? show(parts) : refused(parts.random);
};

/** Nothing about the device: anybody on this machine may have them. */
const fixedFiles: Readonly<Record<string, { readonly type: string; readonly text: string }>> = {
  '/client.js': { type: 'text/javascript; charset=utf-8', text: clientScript },
  '/style.css': { type: 'text/css; charset=utf-8', text: styleSheet },
  '/icon.svg': { type: 'image/svg+xml', text: favicon },
};

const views: Readonly<Record<string, (parts: AnswerParts) => PageAnswer | Promise<PageAnswer>>> = {
  '/': async ({ board, random, renew }) => {
    await renew();
    return documentAnswer(200, random, (nonce) => documentOf(board.view(), nonce));
  },
  '/posture.json': async ({ board, renew }) => {
    await renew();
    return plain(200, board.json(), { 'content-type': 'application/json' });
  },
  '/events': () => ({ ...plain(200, '', { 'content-type': 'text/event-stream' }), isStream: true }),
};

/** A preview (HEAD) must not use the link up. */
const opened = ({ method, target }: PageRequest, { doorway, random }: AnswerParts): PageAnswer => {
  if (method !== 'GET') return plain(405, '', { allow: 'GET' });
  const cookie = doorway.open(target.slice(openPath.length));
  return cookie === undefined ? refused(random) : plain(303, '', { location: '/', 'set-cookie': cookie });
};

const refused = (random: Random): PageAnswer => documentAnswer(403, random, refusedDocument);

const documentAnswer = (status: number, random: Random, render: (nonce: string) => string): PageAnswer => {
  const nonce = Buffer.from(random.bytes(nonceBytes)).toString('base64');
  return {
    status,
    headers: { ...commonHeaders, 'content-security-policy': documentPolicy(nonce), 'content-type': 'text/html; charset=utf-8' },
    body: render(nonce),
  };
};

const plain = (status: number, body: string, headers: Readonly<Record<string, string>> = {}): PageAnswer => ({
  status,
  headers: { ...commonHeaders, 'content-security-policy': closedPolicy, ...headers },
  body,
});
