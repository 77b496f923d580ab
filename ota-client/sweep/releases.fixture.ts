/** Small releases: two whole segments and a tail, a hash tree of two levels. */
import { type TestRelease, testRelease } from '../apply/releases.fixture.ts';
import { nextImage, sampleImage } from '../payload/images.fixture.ts';

const firstImage = sampleImage('sweep', 131);
const secondImage = nextImage('sweep second', firstImage);

export const first = testRelease('sweep-1', 1, 1, firstImage);
/** Over a floor of two epochs more. */
export const second = testRelease('sweep-2', 2, 3, secondImage, firstImage);
/** After a second that failed, or as a repair that comes on a stick. */
export const third = testRelease('sweep-3', 3, 3, nextImage('sweep third', secondImage), firstImage);
export const sweepReleases: readonly TestRelease[] = [first, second, third];

export const sweepSlotBytes = 140 * 4096;
/** Of two segments: an install flushes within the image and at its end. */
export const sweepWindowSegments = 2;
