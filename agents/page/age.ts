/** How long ago, in the coarsest unit that still says something. */
import { words } from './words.ts';

const secondMs = 1000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

export const ageWords = (ageMs: number): string => {
  const { seconds, minutes, hours, days } = words.age;
  if (ageMs < minuteMs) return seconds(Math.max(0, Math.floor(ageMs / secondMs)));
  if (ageMs < hourMs) return minutes(Math.floor(ageMs / minuteMs));
  if (ageMs < dayMs) return hours(Math.floor(ageMs / hourMs));
  return days(Math.floor(ageMs / dayMs));
};
