import { writeImages } from './ota/publisher/images.ts';

writeImages('/var/tmp/pub-images/4096s', { mebibytes: 4096, oneIn: 32 });
