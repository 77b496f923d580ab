/** Small releases: two whole segments and a tail, a hash tree of two levels. */
import { anySource, type TestRelease, testRelease } from '../apply/releases.fixture.ts';
import { nextImage, sampleImage } from '../payload/images.fixture.ts';

const firstImage = sampleImage('sweep', 131);
const secondImage = nextImage('sweep second', firstImage);

export const first = await testRelease('sweep-1', 1, 1, firstImage);
/** Over a floor of two epochs more. */
export const second = await testRelease('sweep-2', 2, 3, secondImage, firstImage);
/** After a second that failed, or as a repair that comes on a stick. */
export const third = await testRelease('sweep-3', 3, 3, nextImage('sweep third', secondImage), firstImage);
/** For devices that come from anywhere: no recipe starts from the first. */
export const fourth = await anySource('sweep-4', nextImage('sweep fourth', firstImage));
export const sweepReleases: readonly TestRelease[] = [first, second, third, fourth];

export const sweepSlotBytes = 140 * 4096;
/** Of two segments: an install flushes within the image and at its end. */
export const sweepWindowSegments = 2;
