/** Streams between a machine and its simulator, opened from either side by the name of what they lead to. */
import { Duplex } from 'node:stream';
import { utf8 } from '#hal/core/bytes';
import { encodePiece, type Kind, maxContentBytes, type Piece, pieceReader } from './wire.ts';

export interface ChannelsOptions {
  /** The host's numbers are odd, the guest's even. */
  readonly side: 'host' | 'guest';
  readonly write: (bytes: Uint8Array) => void;
  /** The far end opened one. Destroying it refuses. */
  readonly onOpen: (name: string, stream: Duplex) => void;
  /** What the far end says of itself. */
  readonly onHello?: (content: Uint8Array) => void;
  /** The far end wants to hear who we are; whatever was open is over. */
  readonly onReset?: () => void;
}

export interface Channels {
  open(name: string): Duplex;
  say(kind: 'reset' | 'hello', content?: Uint8Array): void;
  receive(bytes: Uint8Array): void;
  /** Ends every stream. */
  endAll(): void;
}

const maxChannels = 64;

export const channelsOn = ({ side, write, onOpen, onHello, onReset }: ChannelsOptions): Channels => {
  const streams = new Map<number, Duplex>();
  const read = pieceReader();
  const first = side === 'host' ? 1 : 2;
  let last = first - 2;

  const send = (kind: Kind, channel: number, content: Uint8Array = new Uint8Array()): void =>
    write(encodePiece({ kind, channel, content }));
  const endAll = (): void => {
    const open = [...streams.values()];
    streams.clear();
    for (const stream of open) stream.destroy();
  };
  const newStream = (channel: number): Duplex => {
    const stream = new Duplex({
      read: () => undefined,
      write(chunk: Uint8Array, _, done) {
        for (let at = 0; at < chunk.length; at += maxContentBytes)
          send('data', channel, chunk.subarray(at, at + maxContentBytes));
        done();
      },
      final(done) {
        if (streams.delete(channel)) {
          send('end', channel);
          stream.push(null);
        }
        done();
      },
      destroy(_, done) {
        if (streams.delete(channel)) send('end', channel);
        done(null);
      },
    });
    stream.on('error', () => undefined);
    streams.set(channel, stream);
    return stream;
  };

  const taken: Readonly<Record<Kind, (piece: Piece) => void>> = {
    reset() {
      endAll();
      onReset?.();
    },
    hello({ content }) {
      endAll();
      onHello?.(content);
    },
    open({ channel, content }) {
      if (streams.has(channel) || streams.size >= maxChannels) return send('end', channel);
      return onOpen(new TextDecoder().decode(content), newStream(channel));
    },
    data: ({ channel, content }) => void streams.get(channel)?.push(content),
    end({ channel }) {
      const stream = streams.get(channel);
      streams.delete(channel);
      stream?.push(null);
      stream?.end();
    },
  };

  return {
    open(name) {
      do last = last + 2 > 0xffff ? first : last + 2;
      while (streams.has(last));
      const stream = newStream(last);
      send('open', last, utf8(name));
      return stream;
    },
    say: (kind, content) => send(kind, 0, content),
    receive: (bytes) => {
      for (const piece of read(bytes)) taken[piece.kind](piece);
    },
    endAll,
  };
};

/** Bytes go both ways until one side is gone. */
export const joined = (one: Duplex, other: Duplex): void => {
  one.pipe(other).pipe(one);
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const)
    from.on('close', () => to.destroy()).on('error', () => to.destroy());
};
