/** enigmctl: the command line of a device. Alone it prints one line of state and the next step. */
import { enigmctl } from './enigmctl.ts';

void enigmctl(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
