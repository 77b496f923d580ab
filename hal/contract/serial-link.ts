/** What every `SerialLink` must do. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { utf8 } from '#hal/core/bytes';
import { unwrap } from '#hal/core/result';
import type { SerialLink, SerialLinks } from '#hal/ports/serial-link';

export interface Line {
  readonly links: SerialLinks;
  /** The far end. */
  write(bytes: Uint8Array): void;
  onBytes(listen: (bytes: Uint8Array) => void): void;
  /** The far end and the line itself go away. */
  pull(): Promise<void>;
  end(): Promise<void>;
}

/** @param lay a fresh line for each test */
export const serialLinkContract = (name: string, lay: () => Promise<Line>): void => {
  describe(`SerialLink: ${name}`, () => {
    let line: Line;
    let link: SerialLink;
    const never = new AbortController().signal;
    beforeEach(async () => {
      line = await lay();
      link = unwrap(await line.links.open());
    });
    afterEach(async () => {
      await link.close();
      await line.end();
    });

    const readBytes = async (count: number): Promise<Buffer> => {
      const chunks: Uint8Array[] = [];
      while (Buffer.concat(chunks).length < count) chunks.push(unwrap(await link.read(never)));
      return Buffer.concat(chunks);
    };

    test('carries every byte value both ways, in order', async () => {
      const all = Uint8Array.from({ length: 4_096 }, (_, index) => index & 0xff);
      const far: Uint8Array[] = [];
      const arrived = new Promise<void>((resolve) =>
        line.onBytes((bytes) => {
          far.push(bytes);
          if (Buffer.concat(far).length >= all.length) resolve();
        }),
      );
      unwrap(await link.write(all));
      await arrived;
      expect(Buffer.concat(far)).toEqual(Buffer.from(all));
      line.write(all);
      expect(await readBytes(all.length)).toEqual(Buffer.from(all));
    });

    test('gives out what came before it was asked', async () => {
      line.write(utf8('one'));
      line.write(utf8('two'));
      expect((await readBytes(6)).toString()).toBe('onetwo');
    });

    test('a read can be called off, and nothing is lost', async () => {
      const controller = new AbortController();
      const reading = link.read(controller.signal);
      controller.abort();
      expect(await reading).toMatchObject({ ok: false, fault: { reason: 'aborted' } });
      line.write(utf8('later'));
      expect((await readBytes(5)).toString()).toBe('later');
    });

    test('a closed link is down, for whoever waits and whoever writes', async () => {
      const reading = link.read(never);
      await link.close();
      await link.close();
      expect(await reading).toMatchObject({ ok: false, fault: { reason: 'link-down' } });
      expect(await link.write(utf8('x'))).toMatchObject({ ok: false, fault: { reason: 'link-down' } });
    });

    test('a pulled cable ends the read, and nothing opens until it is back', async () => {
      const reading = link.read(never);
      await line.pull();
      expect(await reading).toMatchObject({ ok: false, fault: { reason: 'link-down' } });
      await link.close();
      expect(await line.links.open()).toMatchObject({ ok: false, fault: { reason: 'link-down' } });
    });

    test('a second link to the same line is refused', async () => {
      expect(await line.links.open()).toMatchObject({ ok: false, fault: { reason: 'link-down' } });
    });
  });
};
