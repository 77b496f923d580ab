/**
 * Who may look: a one-time token in a link, exchanged for a session cookie.
 *
 * Limit: cookies know no ports (RFC 6265 §8.5). Another server on 127.0.0.1 that the same person opens in the same
 * browser is sent this cookie; it could then read this page, and do nothing else, because the page only reads.
 */
import { equalBytes, utf8 } from '#hal/core/bytes';
import type { Random } from '#hal/ports/random';

export interface Doorway {
  /** Uses the link up. @returns the value of `Set-Cookie`, or undefined for a token that is not the present one */
  open(token: string): string | undefined;
  /** Whether the value of `Cookie` names a session. */
  admits(cookie: string | undefined): boolean;
}

export const maxSessions = 8;
const secretBytes = 32;

/**
 * @param port goes into the name of the cookie, so that the pages of two devices on one machine do not overwrite each other's
 * @param onToken called with each new token: when the doorway is made, and when a link was used; where it throws, the old one stays
 */
export const newDoorway = (random: Random, port: number, onToken: (token: string) => void): Doorway => {
  const name = `enigm-page-${port}`;
  const secret = () => Buffer.from(random.bytes(secretBytes)).toString('base64url');
  let token = '';
  let sessions: readonly string[] = [];
  const renew = () => {
    const next = secret();
    onToken(next);
    token = next;
  };
  renew();
  return {
    open(offered) {
      if (!isEqual(offered, token)) return undefined;
      renew();
      const session = secret();
      // The newest sessions stay: a person who opens the page again is let in, whatever was left open elsewhere.
      sessions = [session, ...sessions].slice(0, maxSessions);
      return `${name}=${session}; Path=/; HttpOnly; SameSite=Strict`;
    },
    admits: (cookie = '') => {
      const offered = cookie
        .split(';')
        .map((pair) => pair.trim())
        .filter((pair) => pair.startsWith(`${name}=`))
        .map((pair) => pair.slice(name.length + 1));
      return offered.some((value) => sessions.some((session) => isEqual(value, session)));
    },
  };
};

const isEqual = (offered: string, secret: string): boolean => equalBytes(utf8(offered), utf8(secret));
