import { linuxSerialLinks } from '#hal/linux/serial-link';
import { ptyPair } from './pty.fixture.ts';
import { serialLinkContract } from './serial-link.ts';

serialLinkContract('serialport over a pseudo-terminal', async () => {
  const pty = await ptyPair();
  return {
    links: linuxSerialLinks({ path: pty.path }),
    write: (bytes) => pty.write(bytes),
    onBytes: (listen) => pty.onBytes(listen),
    pull: () => pty.end(),
    end: () => pty.end(),
  };
});
