import { memoryLine } from '#hal/memory/serial-link';
import { serialLinkContract } from './serial-link.ts';

serialLinkContract('memory', async () => {
  const line = memoryLine();
  return {
    links: line,
    write: (bytes) => line.device.write(bytes),
    onBytes: (listen) => {
      line.device.onBytes = listen;
    },
    pull: async () => line.plug(false),
    end: async () => undefined,
  };
});
