/** What a person who cannot see the page is told when it changed (WCAG 2.2 §4.1.3). */
import type { FindingView, PageView } from './view.ts';
import { words } from './words.ts';

const maxNamed = 3;

/**
 * @param before what this reader was shown last; undefined where that is not known
 * @returns nothing where nothing changed, or where an alarm speaks for itself
 */
export const announcementOf = (before: PageView | undefined, after: PageView): string => {
  if (after.isAlarm && before?.sentence !== after.sentence) return '';
  const headline = before?.title === after.title ? [] : [`${after.title}. ${after.sentence}`];
  const changed = before === undefined ? [] : changedFindings(before, after);
  const named = changed.slice(0, maxNamed).map(({ title, resultWord }) => words.announce.finding(title, resultWord));
  const more = changed.length > maxNamed ? [words.announce.more(changed.length - maxNamed)] : [];
  return [...headline, ...named, ...more].join(' ');
};

const changedFindings = (before: PageView, after: PageView): readonly FindingView[] => {
  const results = new Map(all(before).map(({ id, result }) => [id, result]));
  return all(after).filter(({ id, result }) => results.get(id) !== result);
};

const all = ({ groups }: PageView): readonly FindingView[] => groups.flatMap(({ findings }) => findings);
